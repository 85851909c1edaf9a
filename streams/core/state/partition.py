"""What one timeline partition remembers."""

from __future__ import annotations

import msgspec


class SwitchedVersion(msgspec.Struct, array_like=True, frozen=True):
    """A switch record that was applied: from `offset` on, `version` is in use."""

    offset: int
    kind: str
    name: str
    version: str


class Used(msgspec.Struct, array_like=True, frozen=True):
    """How often a budget was used on a day (days since 1970, UTC)."""

    day: int
    count: int


class Closed(msgspec.Struct, array_like=True, frozen=True):
    """From the tick at `offset` on, these budgets are closed and all others open."""

    offset: int
    budgets: list[str]


class PartitionState(msgspec.Struct, array_like=True):
    """What a timeline partition remembers as a whole: which versions took effect where.

    And what was used of each budget by decisions up to `counted_offset`; which budgets were closed
    is settled up to the tick at `settled_offset`.

    A history, not only the newest: after a crash the partition's own record may be ahead of the
    offset from which the log is read again.
    """

    switches: list[SwitchedVersion] = []
    used: dict[str, Used] = {}
    closed: list[Closed] = []
    counted_offset: int = -1
    settled_offset: int = -1

    def version(self, kind: str, name: str, offset: int) -> str | None:
        """Return the version in use for the record at `offset`, or None before any switch."""
        for switch in reversed(self.switches):
            if switch.offset <= offset and switch.kind == kind and switch.name == name:
                return switch.version
        return None
