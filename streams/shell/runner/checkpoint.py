"""The order in which work is made safe. Plain logic: every effect is behind `CheckpointParts`.

1. shut the gate and wait until the chunk under work is finished;
2. the *cut*, without an await: positions, and everything changed since the last cut;
3. open the gate, work goes on;
4. all outputs sent before the cut are acknowledged;
5. a fencing probe: commit what is committed already. A worker that lost its partitions stops here.
   One that slept since (a paused machine) asks again before it writes: what it would write late is
   told by its stamp, but compaction knows no stamps and keeps whatever was written last;
6. stage after stage of the cut is written and acknowledged (the changelog; a snapshot, then the
   records that name it);
7. commit the positions of the cut.

Outputs come before the changelog: a state that is durable has its outputs out already, so a
replay may skip both; a state that is not is replayed from exactly the older one and repeats the
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

# Records of a stage sent at a time: some 3 ms, for which work has to wait.
PART = 1_024


class Commit(Enum):
    """What the group coordinator said to a commit."""

    DONE = "done"
    BUSY = "busy"
    """A rebalance is under way; we are still a member and keep what we have."""
    FENCED = "fenced"
    """The group goes on without us: somebody else may own our partitions."""


class CheckpointOutcome(Enum):
    """How a checkpoint ended."""

    NOTHING = "nothing"
    COMMITTED = "committed"
    BUSY = "busy"
    FENCED = "fenced"


class Stage(Protocol):
    """Records that may be sent in any number of parts; they may be made as they are asked for."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __iter__(self) -> Iterator[Write]:
        """Yield them in the order in which they are sent."""


@dataclass(frozen=True)
class Cut:
    """A consistent picture: `positions` are next offsets, `stages` what must be durable first.

    The records of a stage are acknowledged before those of the next are sent.
    """

    positions: Mapping[Partition, int]
    stages: Sequence[Stage] = field(default=())


class CheckpointParts(Protocol):
    """The effects, in the order a checkpoint uses them. Any of them may raise: nothing is safe."""

    async def shut(self) -> None:
        """Let no chunk through and wait for the one under work."""

    def cut(self) -> Cut | None:
        """Return what changed since the last cut, None if nothing did; hold back new outputs."""

    def open(self) -> None:
        """Let chunks through again."""

    async def outputs_acknowledged(self) -> None:
        """Wait for every output sent before the cut, then release the held ones."""

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
    """Run checkpoints one after the other, never two at once.

    The answer to a probe is good for `trust_s` seconds: less than others may wait before they take
    our partitions, which is the session timeout. Stages are sent in parts of `part` records.
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
        """Take one checkpoint; whatever a part raises ends it with nothing committed."""
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
            # Nothing is awaited between the last look at the clock and the sending.
            while answer is Commit.DONE and self._clock_s() >= self._trusted_until_s:
                answer = await self._probe()
            if answer is Commit.DONE:
                await self._parts.send(part)
        # When refused, too: nothing of it may arrive after what somebody else will write.
        await self._parts.sent()
        return answer

    async def _probe(self) -> Commit:
        # From when it was asked: the session was alive then, and may have been closed since.
        self._trusted_until_s = self._clock_s() + self._trust_s
        return await self._parts.probe()


_REFUSED = {Commit.BUSY: CheckpointOutcome.BUSY, Commit.FENCED: CheckpointOutcome.FENCED}
