"""Whether the leader may put the time on the timeline: it has read what was waiting.

What was waiting ends at the partition's end as it was at the assignment, not at the last stable
offset: records that an open transaction holds back have happened, and time must not pass by the
answers among them. But a transaction may stay open for long, or for ever (its producer has died and
the brokers do not give up). So the leader waits for held-back records only for a while, once there
is nothing else left to read. Then it goes on without them, as it does in running: what a producer
commits later is folded later, with the lateness it has.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from streams.shell.kafka_records import Partition
from streams.shell.telemetry.progress import RoleProgress

# A producer's own `transaction.timeout.ms` is a minute by default: after that the brokers abort.
HELD_BACK_PATIENCE_S = 60.0

log = logging.getLogger("concierge.clock")


class CatchUp:
    """Called once a tick by the clock; says True for good once the role has caught up."""

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
        """Return whether time may go on."""
        role = self._role()
        held = [] if role.caught_up else role.held_back
        if not held:
            self._since_s = None
            return role.caught_up
        if self._since_s is None:
            self._since_s = self._clock_s()
            log.info(
                "the clock waits up to %.0f s for %s: an open transaction holds records back",
                *(self._patience_s, _named(held)),
            )
        if self._clock_s() - self._since_s < self._patience_s:
            return False
        log.warning(
            "the clock goes on without records of %s that an open transaction still holds back; "
            "they count once it ends. A transaction that never ends is aborted with "
            "kafka-transactions.sh",
            _named(held),
        )
        self._since_s = None
        return True


def _named(places: list[Partition]) -> str:
    return ", ".join(f"{place.topic}/{place.partition}" for place in places)
