"""Options of a role's runner and Faust app: brokers, names, intervals and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RoleOptions:
    """Options of one worker; the command line builds them from the settings.

    `bootstrap` is "host:port,host:port". `client` holds further librdkafka settings (security),
    and `credentials` the same for Faust.
    `may_miss` names the topics of which records may expire unread.
    A checkpoint is due after `checkpoint_every_s` seconds or `checkpoint_every_records` records.
    `fetch_max_wait_ms` bounds how long the broker may keep a fetch waiting: the embedded broker
    does not wake a waiting fetch, so there it is the latency. `instance_id` makes the membership
    static: a restarted worker gets its partitions back at once, and must be unique per worker.
    """

    bootstrap: str
    app_id: str = "concierge"
    checkpoint_every_s: float = 2.0
    checkpoint_every_records: int = 200_000
    fetch_max_wait_ms: int = 10
    max_poll_records: int = 20_000
    max_fetch_bytes: int = 4 * 1024 * 1024
    linger_ms: float = 2.0
    session_timeout_s: float = 30.0
    heartbeat_interval_s: float = 3.0
    rebalance_timeout_s: float = 60.0
    stop_timeout_s: float = 20.0
    instance_id: str | None = None
    failpoint: str = ""
    may_miss: frozenset[str] = frozenset()
    client: Mapping[str, Any] = field(default_factory=dict)
    credentials: object | None = None

    def group(self, role: str) -> str:
        """Return the consumer group (and Faust app id) of a role."""
        return f"{self.app_id}-{role}"

    def client_config(self) -> dict[str, Any]:
        """Return what every confluent client needs."""
        return {**self.client, "bootstrap.servers": self.bootstrap}
