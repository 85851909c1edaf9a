"""Snapshots carry everything, and only sound ones are accepted."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import msgspec
import pytest

from models.learning.capture import Snapshot, SnapshotError, restore, take, version_of
from models.snapshot.snapshot_codec import FORMAT, MAGIC, decode, encode
from models.snapshot.snapshot_record import pack
from tests.unit.models.learning.test_world import fresh_bank, lesson, make_world, teach


def learned() -> Snapshot:
    world = make_world(seed=1, lessons=200)
    bank = fresh_bank(world)
    teach(bank, world.lessons())
    bank.learn_one(lesson(world.actions[0], [1.0], 1.0), 300)
    return take(bank)


SNAPSHOT = learned()
DATA = encode(SNAPSHOT)


def changed(**fields: Any) -> bytes:
    return encode(msgspec.structs.replace(SNAPSHOT, **fields))


def test_what_was_encoded_is_decoded() -> None:
    assert decode(DATA) == SNAPSHOT
    assert encode(decode(DATA)) == DATA


def test_a_snapshot_names_the_place_where_learning_goes_on() -> None:
    assert (SNAPSHOT.next_lesson_offset, SNAPSHOT.version) == (301, "000000000301")
    bank = restore(SNAPSHOT)
    assert (bank.next_lesson_offset, bank.lessons_partition) == (301, 0)


def test_quality_and_refusals_survive() -> None:
    bank = restore(SNAPSHOT)
    assert bank.overall.lessons == 200
    assert bank.quality["a0"].lessons == SNAPSHOT.quality["a0"].lessons
    assert bank.refused == {"feature_count": 1}


def test_a_snapshot_shares_nothing_with_its_bank() -> None:
    world = make_world(seed=1, lessons=50)
    bank = fresh_bank(world)
    teach(bank, world.lessons())
    snapshot = take(bank)
    before = encode(snapshot)
    restored = restore(snapshot)
    teach(bank, world.lessons(), start=50)
    teach(restored, world.lessons(), start=50)
    assert encode(snapshot) == before


def test_versions_sort_as_text_like_their_offsets() -> None:
    offsets = [0, 9, 10, 1_200, 10**12 - 1]
    versions = [version_of(offset) for offset in offsets]
    assert versions == sorted(versions)
    assert versions[3] == "000000001200"


@pytest.mark.parametrize("offset", [-1, 10**12])
def test_an_offset_that_no_version_can_hold_is_a_bug(offset: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        version_of(offset)


def framed(body: bytes, version: int = FORMAT) -> bytes:
    return struct.pack(">4sHI", MAGIC, version, zlib.crc32(body)) + body


PIPELINE = SNAPSHOT.pipelines[0]
WIDTH = len(SNAPSHOT.feature_names)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no model snapshot"),
        (b"{}", "no model snapshot"),
        (b"\x00\x00\x00\x00\x01" + DATA, "no model snapshot"),
        (DATA[:40], "damaged or cut short"),
        (DATA[:-1], "damaged or cut short"),
        (DATA + b"x", "damaged or cut short"),
        (framed(DATA[10:], version=2), "has format 2 and this program reads 1"),
        (framed(b"not zlib"), "cannot be read"),
        (framed(zlib.compress(b"\xff\xff")), "cannot be read"),
        (framed(zlib.compress(msgspec.msgpack.encode(["offers", 3]))), "cannot be read"),
        (framed(DATA[10:] + b"more"), "cannot be read"),
        (changed(version="000000000001"), "not that of lesson offset 301"),
        (changed(next_lesson_offset=-1), "out of range"),
        (changed(next_lesson_offset=10**12), "out of range"),
        (changed(prior=float("nan")), "not between 0 and 1"),
        (changed(feature_names=["x"] * WIDTH), "occurs twice"),
        (changed(feature_names=["x"]), "bytes for 1 features"),
        (changed(scaler_means=pack([float("nan")] * WIDTH)), "means: a number is not finite"),
        (changed(scaler_variances=pack([-1.0] * WIDTH)), "variances: a number"),
        (changed(pipelines=[PIPELINE, PIPELINE]), "a pipeline occurs twice"),
        (
            changed(pipelines=[msgspec.structs.replace(PIPELINE, weights=b"1")]),
            "weights: 1 bytes",
        ),
        (
            changed(pipelines=[msgspec.structs.replace(PIPELINE, level="galaxy")]),
            "unknown level",
        ),
        (changed(overall=msgspec.structs.replace(SNAPSHOT.overall, rewarded=[])), "64 bins"),
    ],
)
def test_unsound_bytes_are_refused_with_what_is_wrong(data: bytes, says: str) -> None:
    with pytest.raises(SnapshotError, match=says):
        decode(data)


def test_every_refusal_says_what_to_do() -> None:
    for data in (b"", DATA[:-1], framed(DATA[10:], version=2), framed(b"not zlib")):
        with pytest.raises(SnapshotError, match=r": (check|run|use) "):
            decode(data)


def test_a_snapshot_of_an_unknown_learner_is_not_restored() -> None:
    foreign = msgspec.structs.replace(SNAPSHOT, learner="forest")
    with pytest.raises(SnapshotError, match="learned by 'forest', which this program lacks"):
        restore(foreign)
