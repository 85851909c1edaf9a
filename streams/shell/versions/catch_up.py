"""When the leader may write ticks: after it has read its backlog.

The backlog ends at the partition's high watermark at assignment, not at the last stable offset.
Records that an open transaction holds back have happened, and a tick before them would settle
decisions whose answers are among them. But a transaction may stay open for ever, if its producer
has died and the brokers do not abort it. So, once nothing else is left to read, the leader waits
`HELD_BACK_PATIENCE_S` and then continues. Records that are committed later are processed late.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from streams.shell.kafka_records import Partition
from streams.shell.telemetry.progress import RoleProgress

# The default `transaction.timeout.ms` of a producer: after it the brokers abort the transaction.
HELD_BACK_PATIENCE_S = 60.0

log = logging.getLogger("concierge.clock")


class CatchUp:
    """Called by the leader before each tick, until it returns True."""

    def __init__(
        self,
        role: Callable[[], RoleProgress],
        patience_s: float = HELD_BACK_PATIENCE_S,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._role = role
        self._patience_s = patience_s
        self._clock_s = clock_s
        self._since_s: float | None = None

    def __call__(self) -> bool:
        """Return whether ticks may be written."""
        role = self._role()
        held = [] if role.caught_up else role.held_back
        if not held:
            self._since_s = None
            return role.caught_up
        if self._since_s is None:
            self._since_s = self._clock_s()
            log.info(
                "the clock waits up to %.0f s for %s: an open transaction holds records back",
                *(self._patience_s, _names(held)),
            )
        if self._clock_s() - self._since_s < self._patience_s:
            return False
        log.warning(
            "the clock continues without records of %s that an open transaction holds back; they "
            "are processed when it ends. To end it: kafka-transactions.sh abort",
            _names(held),
        )
        self._since_s = None
        return True


def _names(partitions: list[Partition]) -> str:
    return ", ".join(f"{tp.topic}/{tp.partition}" for tp in partitions)
