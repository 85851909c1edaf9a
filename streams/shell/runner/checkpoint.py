"""The order in which a checkpoint makes work durable; all effects are behind `CheckpointParts`.

1. Shut the barrier and wait until the chunks under work are finished.
2. Take the *cut*, without an await: positions, and everything that changed since the last cut.
3. Open the barrier; work goes on.
4. Wait until all outputs sent before the cut are acknowledged.
5. Probe for fencing: commit again what is committed already. A worker that lost its partitions
   stops here. A worker that was suspended since then probes again before it writes: recovery
   recognises a late write by its stamp, but compaction ignores stamps and keeps the last write.
6. Write stage after stage of the cut, each acknowledged before the next (the changelog; or
   snapshots, then the switches that name them).
7. Commit the positions of the cut.

Outputs come before the changelog. The outputs of a durable state are published, so a replay may
skip both. A state that is not durable is replayed from exactly the older one, which repeats the
same bytes.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from time import monotonic
from typing import Protocol

from streams.shell.kafka_records import Partition, Write

# How many records of a stage are sent at a time: about 3 ms, during which no chunk is worked on.
PART = 1_024


class Commit(Enum):
    """What the group coordinator answered to a commit."""

    DONE = "done"
    BUSY = "busy"
    """A rebalance is under way; the worker is still a member and keeps its partitions."""
    FENCED = "fenced"
    """The worker is no member any more: another one may own its partitions."""


class CheckpointOutcome(Enum):
    """How a checkpoint ended."""

    NOTHING = "nothing"
    COMMITTED = "committed"
    BUSY = "busy"
    FENCED = "fenced"


class Stage(Protocol):
    """Records that are sent in parts; they may be made while they are iterated."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __iter__(self) -> Iterator[Write]:
        """Yield them in the order in which they are sent."""


@dataclass(frozen=True)
class Cut:
    """What belongs together at one moment: next offsets, and records to make durable before them.

    The records of a stage are acknowledged before those of the next are sent.
    """

    positions: Mapping[Partition, int]
    stages: Sequence[Stage] = field(default=())


class CheckpointParts(Protocol):
    """The effects, in the order of their use. If one raises, nothing is committed."""

    async def shut(self) -> None:
        """Let no chunks through and wait for those under work."""

    def cut(self) -> Cut | None:
        """Return what changed since the last cut, None if nothing did; hold back new outputs."""

    def open(self) -> None:
        """Let chunks through again."""

    async def outputs_acknowledged(self) -> None:
        """Wait until outputs sent before the cut are acknowledged, then send those held back."""

    async def probe(self) -> Commit:
        """Commit the last committed positions again."""

    async def send(self, records: Sequence[Write]) -> None:
        """Send a part of a stage."""

    async def sent(self) -> None:
        """Wait until all of a stage is acknowledged."""

    def written(self, cut: Cut) -> None:
        """Note that all stages of the cut are durable."""

    async def commit(self, cut: Cut) -> Commit:
        """Commit the positions of the cut."""

    def step(self, name: str) -> None:
        """Note that a step is done (tests kill the process here)."""


class Checkpoint:
    """Runs checkpoints, one at a time.

    The answer to a probe is trusted for `trust_s` seconds. That must be less than the session
    timeout, after which the group may give the partitions to another worker. Stages are sent in
    parts of `part` records.
    """

    def __init__(
        self,
        parts: CheckpointParts,
        trust_s: float = math.inf,
        clock_s: Callable[[], float] = monotonic,
        part: int = PART,
    ) -> None:
        self._parts = parts
        self._trust_s = trust_s
        self._clock_s = clock_s
        self._part = part
        self._trusted_until_s = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def run(self) -> CheckpointOutcome:
        """Take one checkpoint; an error of any part ends it with nothing committed."""
        parts = self._parts
        async with self._one_at_a_time:
            await parts.shut()
            try:
                cut = parts.cut()
            finally:
                parts.open()
            if cut is None:
                return CheckpointOutcome.NOTHING
            parts.step("cut")
            await parts.outputs_acknowledged()
            parts.step("outputs")
            if (answer := await self._probe()) is not Commit.DONE:
                return _REFUSED[answer]
            parts.step("probe")
            for stage in cut.stages:
                if (answer := await self._send(stage)) is not Commit.DONE:
                    return _REFUSED[answer]
                parts.step("stage")
            parts.written(cut)
            parts.step("changelog")
            done = await parts.commit(cut)
            if done is not Commit.DONE:
                return _REFUSED[done]
            parts.step("commit")
            return CheckpointOutcome.COMMITTED

    async def _send(self, stage: Stage) -> Commit:
        records, answer = iter(stage), Commit.DONE
        while answer is Commit.DONE and (part := list(islice(records, self._part))):
            # Nothing is awaited between the last check of the clock and the sending.
            while answer is Commit.DONE and self._clock_s() >= self._trusted_until_s:
                answer = await self._probe()
            if answer is Commit.DONE:
                await self._parts.send(part)
        # Also when refused: no record may arrive after those that another worker will write.
        await self._parts.sent()
        return answer

    async def _probe(self) -> Commit:
        # Counted from the question: the session was alive then, and may have ended since.
        self._trusted_until_s = self._clock_s() + self._trust_s
        return await self._parts.probe()


_REFUSED = {Commit.BUSY: CheckpointOutcome.BUSY, Commit.FENCED: CheckpointOutcome.FENCED}
