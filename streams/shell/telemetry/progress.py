"""Progress of a worker by role and partition; the role runners write it, the pages read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from streams.shell.kafka_records import Partition


@dataclass
class PartitionProgress:
    """One source partition of one role; each offset is that of the next record, -1 if unknown.

    `backlog_end` is the high watermark at assignment, `readable_end` the last stable offset: an
    open transaction holds back the records after it.
    """

    position: int = -1
    committed: int = -1
    backlog_end: int = -1
    readable_end: int = -1


@dataclass
class RoleProgress:
    """One role of this worker; times are UTC epoch milliseconds, 0 if it has not happened yet.

    `assigned`: the group has assigned partitions (perhaps none). `recovered`: the role's state is
    read back and it processes records. `unacknowledged` counts outputs that the brokers have not
    acknowledged yet. `detail` is text for the log line that says that the role is ready.
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
        """Return whether the backlog at assignment has been read."""
        return self.recovered and all(
            at.position >= at.backlog_end for at in self.partitions.values()
        )

    @property
    def held_back(self) -> list[Partition]:
        """Return the partitions with an unread backlog, if all of them wait for transactions.

        Empty if any of them can be read further.
        """
        behind = {p: at for p, at in self.partitions.items() if at.position < at.backlog_end}
        if not self.recovered or any(
            not 0 <= at.readable_end <= at.position for at in behind.values()
        ):
            return []
        return sorted(behind)


@dataclass
class Progress:
    """The progress of every role of this worker, by the role's name."""

    roles: dict[str, RoleProgress] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Return whether every role is assigned and recovered."""
        return bool(self.roles) and all(
            role.assigned and role.recovered for role in self.roles.values()
        )
