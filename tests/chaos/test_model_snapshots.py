"""A snapshot that cannot be used is told and passed over; its lessons are learned again, once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from models.snapshot.snapshot_codec import decode, encode
from models.snapshot.snapshot_record import version_of
from schemas.records import LESSON_DECODER
from schemas.topics import LESSONS, MODEL_SNAPSHOTS
from tests.chaos.faults import write
from tests.chaos.world import ChaosWorld
from tests.oracle.replay import newest
from tests.support.kafka import RealKafka

# `tests/unit/models/snapshot/test_refused.py` tells who refuses what without a broker.
pytestmark = pytest.mark.chaos


def _foreign(data: bytes) -> bytes:
    return encode(msgspec.structs.replace(decode(data), model="another"))


def _ahead(data: bytes) -> bytes:
    far = 10**9
    later = {"next_lesson_offset": far, "version": version_of(far)}
    return encode(msgspec.structs.replace(decode(data), **later))


_SPOILT: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "garbage": (lambda data: b"garbage", "damaged"),
    "cut_short": (lambda data: data[: len(data) // 2], "damaged"),
    "a_bit_flipped": (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "damaged"),
    "another_model": (_foreign, "foreign"),
    "another_installation": (_ahead, "foreign"),
}


def _learned_once(world: ChaosWorld) -> None:
    """Assert that the newest model has learned each lesson there is, and none twice."""
    lessons = [LESSON_DECODER.decode(m.value() or b"") for m in world.read(LESSONS)]
    snapshots = newest(world.read(MODEL_SNAPSHOTS))
    last = decode(snapshots[max(snapshots)])
    assert last.next_lesson_offset == len(lessons)
    assert last.overall.lessons + sum(last.refused.values()) == len(lessons)
    assert last.refused.get("repeated", 0) == len(lessons) - len({x.decision_id for x in lessons})


# What comes of having no older one does not depend on how it was spoilt.
_CASES = [(what, "with_an_older_one") for what in _SPOILT] + [("garbage", "alone")]


@pytest.mark.parametrize(("what", "older"), _CASES)
def test_a_spoilt_snapshot_is_told_and_its_lessons_are_learned_again(
    kafka: RealKafka, tmp_path: Path, seed: int, what: str, older: str
) -> None:
    spoil, reason = _SPOILT[what]
    with ChaosWorld(kafka.bootstrap, tmp_path, events=1_000, seed=seed) as world:
        worker = world.start_ready()
        world.tell(600)
        world.await_drained()
        world.terminate(worker)
        messages = world.read(MODEL_SNAPSHOTS)
        numbers = {(m.key() or b"").decode(): m.partition() or 0 for m in messages}
        snapshots = newest(messages)
        assert len(snapshots) > 1
        topic, last = world.name(MODEL_SNAPSHOTS), max(snapshots)
        for key, data in snapshots.items():
            if key == last or older == "alone":
                write(world, topic, key.encode(), spoil(data), numbers[key])
        follower = world.start_ready()
        world.tell(200)
        world.end()
        _learned_once(world)
        assert "a snapshot of model main is not used" in follower.said()
        assert f'concierge_snapshots_refused_total{{reason="{reason}"}}' in follower.page(
            "/metrics"
        )
        world.terminate(follower)


def test_a_key_and_a_value_that_are_nobodys_disturb_nobody(
    kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    with ChaosWorld(kafka.bootstrap, tmp_path, events=1_000, seed=seed) as world:
        write(world, world.name(MODEL_SNAPSHOTS), b"\xff\xfe", b"whatever", 0)
        worker = world.start_ready()
        world.tell(200)
        world.end()
        world.judge()
        world.terminate(worker)
