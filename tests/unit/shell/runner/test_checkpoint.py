"""The order of a checkpoint's steps, and that nothing behind a failed one happens."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from streams.shell.kafka_records import (
    Partition,
    Write,
)
from streams.shell.runner.checkpoint import (
    PART,
    Checkpoint,
    CheckpointOutcome,
    Commit,
    Cut,
)

PLACE = Partition("timeline", 0)
STATE = Write("changelog", b"a", b"1", 0)
SNAPSHOT, SWITCH = Write("snapshots", b"m@1", b"s"), Write("timeline", None, b"switch", 0)

WHOLE = [
    "shut",
    "cut",
    "open",
    "step cut",
    "outputs acknowledged",
    "step outputs",
    "probe",
    "step probe",
    "send changelog",
    "sent",
    "step stage",
    "written",
    "step changelog",
    "commit",
    "step commit",
]


class Broken(Exception):
    pass


class Recorded:
    """Parts that record what is asked of them and break where they are told to."""

    def __init__(self, cut: Cut | None, break_at: str = "") -> None:
        self.done: list[str] = []
        self.parts: list[int] = []
        self.probed = Commit.DONE
        self.committed = Commit.DONE
        self._cut = cut
        self._break_at = break_at

    def _note(self, what: str) -> None:
        if what == self._break_at:
            raise Broken(what)
        self.done.append(what)

    async def shut(self) -> None:
        self._note("shut")

    def cut(self) -> Cut | None:
        self._note("cut")
        return self._cut

    def open(self) -> None:
        self._note("open")

    async def outputs_acknowledged(self) -> None:
        self._note("outputs acknowledged")

    async def probe(self) -> Commit:
        self._note("probe")
        return self.probed

    async def send(self, records: Sequence[Write]) -> None:
        self.parts.append(len(records))
        self._note(f"send {records[0].topic}")

    async def sent(self) -> None:
        self._note("sent")

    def written(self, cut: Cut) -> None:
        self._note("written")

    async def commit(self, cut: Cut) -> Commit:
        self._note("commit")
        return self.committed

    def step(self, name: str) -> None:
        self._note(f"step {name}")


def taken(parts: Recorded) -> CheckpointOutcome:
    return asyncio.run(Checkpoint(parts).run())


CUT = Cut({PLACE: 7}, ((STATE,),))


def test_a_checkpoint_goes_from_outputs_to_changelog_to_offsets() -> None:
    parts = Recorded(CUT)
    assert taken(parts) is CheckpointOutcome.COMMITTED
    assert parts.done == WHOLE


def test_the_stages_of_a_cut_are_written_one_after_the_other() -> None:
    parts = Recorded(Cut({PLACE: 7}, ((SNAPSHOT,), (SWITCH,))))
    assert taken(parts) is CheckpointOutcome.COMMITTED
    written = [what for what in parts.done if what.startswith("sen")]
    assert written == ["send snapshots", "sent", "send timeline", "sent"]


def test_a_long_stage_is_sent_in_parts_and_awaited_once() -> None:
    parts = Recorded(Cut({PLACE: 7}, ([STATE] * (2 * PART + 1),)))
    assert taken(parts) is CheckpointOutcome.COMMITTED
    assert parts.parts == [PART, PART, 1]
    assert parts.done.count("sent") == 1


def test_a_worker_that_slept_between_two_parts_asks_again_before_the_next() -> None:
    parts = Recorded(Cut({PLACE: 7}, ([STATE] * (PART + 1),)))
    now_s = iter([0.0, 1.0, 10.0, 10.0, 10.0])
    checkpoint = Checkpoint(parts, trust_s=5.0, clock_s=lambda: next(now_s))
    assert asyncio.run(checkpoint.run()) is CheckpointOutcome.COMMITTED
    place = parts.done.index("send changelog")
    assert parts.done[place : place + 4] == ["send changelog", "probe", "send changelog", "sent"]


def test_nothing_changed_means_nothing_is_written_or_committed() -> None:
    parts = Recorded(None)
    assert taken(parts) is CheckpointOutcome.NOTHING
    assert parts.done == ["shut", "cut", "open"]


@pytest.mark.parametrize("step", WHOLE)
def test_a_failure_ends_the_checkpoint_with_nothing_behind_it_done(step: str) -> None:
    parts = Recorded(CUT, break_at=step)
    with pytest.raises(Broken):
        taken(parts)
    before = WHOLE[: WHOLE.index(step)]
    reopened = ["open"] if step == "cut" else []
    assert parts.done == before + reopened
    assert "commit" not in parts.done or step == "step commit"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(Commit.BUSY, CheckpointOutcome.BUSY), (Commit.FENCED, CheckpointOutcome.FENCED)],
)
def test_a_refused_probe_writes_no_state(answer: Commit, outcome: CheckpointOutcome) -> None:
    parts = Recorded(CUT)
    parts.probed = answer
    assert taken(parts) is outcome
    assert parts.done[-1] == "probe"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(Commit.BUSY, CheckpointOutcome.BUSY), (Commit.FENCED, CheckpointOutcome.FENCED)],
)
def test_a_refused_commit_is_reported_as_what_it_is(
    answer: Commit, outcome: CheckpointOutcome
) -> None:
    parts = Recorded(CUT)
    parts.committed = answer
    assert taken(parts) is outcome
    assert "step commit" not in parts.done


def test_two_checkpoints_never_overlap() -> None:
    parts = Recorded(CUT)

    async def both() -> None:
        checkpoint = Checkpoint(parts)
        await asyncio.gather(checkpoint.run(), checkpoint.run())

    asyncio.run(both())
    assert parts.done == WHOLE + WHOLE


def test_a_worker_that_slept_since_the_probe_asks_again_before_it_writes() -> None:
    parts = Recorded(CUT)
    now_s = iter([0.0, 10.0, 10.0, 10.0])
    checkpoint = Checkpoint(parts, trust_s=5.0, clock_s=lambda: next(now_s))
    assert asyncio.run(checkpoint.run()) is CheckpointOutcome.COMMITTED
    place = WHOLE.index("send changelog")
    assert parts.done == [*WHOLE[:place], "probe", *WHOLE[place:]]


def test_a_refusal_between_two_parts_waits_for_those_that_have_left() -> None:
    class Refused(Recorded):
        async def send(self, records: Sequence[Write]) -> None:
            await super().send(records)
            self.probed = Commit.BUSY

    parts = Refused(Cut({PLACE: 7}, ([STATE] * (PART + 1),)))
    now_s = iter([0.0, 1.0, 10.0, 10.0])
    checkpoint = Checkpoint(parts, trust_s=5.0, clock_s=lambda: next(now_s))
    assert asyncio.run(checkpoint.run()) is CheckpointOutcome.BUSY
    assert parts.done[-3:] == ["send changelog", "probe", "sent"]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(Commit.BUSY, CheckpointOutcome.BUSY), (Commit.FENCED, CheckpointOutcome.FENCED)],
)
def test_a_worker_that_slept_and_lost_its_partitions_writes_nothing(
    answer: Commit, outcome: CheckpointOutcome
) -> None:
    class Asleep(Recorded):
        def step(self, name: str) -> None:
            super().step(name)
            if name == "probe":
                self.probed = answer

    parts = Asleep(CUT)
    now_s = iter([0.0, 10.0, 10.0])
    checkpoint = Checkpoint(parts, trust_s=5.0, clock_s=lambda: next(now_s))

    assert asyncio.run(checkpoint.run()) is outcome
    assert parts.done == [*WHOLE[: WHOLE.index("send changelog")], "probe", "sent"]
