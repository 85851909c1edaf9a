"""How far a worker has come, for its health page: filled by the shell, read by anybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from streams.shell.kafka_records import Partition


@dataclass
class PartitionProgress:
    """One source partition of one role; offsets are next offsets, -1 while unknown.

    `backlog_end` is where the partition ended when it was assigned, `readable_end` how far it can
    be read by now: what follows is held back by an open transaction of a producer.
    """

    position: int = -1
    committed: int = -1
    backlog_end: int = -1
    readable_end: int = -1


@dataclass
class RoleProgress:
    """One role of this worker; times are UTC epoch milliseconds, 0 while it has not happened.

    `assigned` is whether the group has given us an assignment (it may be empty), `recovered`
    whether its state has been read back and records are flowing. `unacknowledged` counts the
    outputs that the brokers have not confirmed yet, `detail` adds what
    only the role knows to the line that says it is ready.
    """

    assigned: bool = False
    recovered: bool = False
    last_chunk_at_ms: int = 0
    last_checkpoint_at_ms: int = 0
    chunks: int = 0
    records: int = 0
    partitions: dict[Partition, PartitionProgress] = field(default_factory=dict)
    unacknowledged: Callable[[], int] = lambda: 0
    detail: Callable[[], str] = lambda: ""

    @property
    def caught_up(self) -> bool:
        """Return whether everything that was waiting at the assignment has been read."""
        return self.recovered and all(
            at.position >= at.backlog_end for at in self.partitions.values()
        )

    @property
    def held_back(self) -> list[Partition]:
        """Return the partitions that hold up `caught_up` if all of them wait for transactions.

        Empty when something that waits can be read.
        """
        behind = {p: at for p, at in self.partitions.items() if at.position < at.backlog_end}
        if not self.recovered or any(
            not 0 <= at.readable_end <= at.position for at in behind.values()
        ):
            return []
        return sorted(behind)


@dataclass
class Progress:
    """What every role of this worker has done so far."""

    roles: dict[str, RoleProgress] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Return whether every role is assigned and recovered."""
        return bool(self.roles) and all(
            role.assigned and role.recovered for role in self.roles.values()
        )
