"""For any lessons: a bank that was stopped and restored is the bank that never stopped."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.learning.bank import Bank
from models.learning.capture import SnapshotError, restore, take
from models.protocol import ActionKey
from models.snapshot.snapshot_codec import decode, encode
from schemas.records import Lesson
from tests.unit.models.learning.test_world import lesson, teach

ACTIONS = [
    ActionKey("a", "f", "i"),
    ActionKey("b", "f", "i"),
    ActionKey("c", None, "i"),
    ActionKey("d", "f", "j"),
]
# Broken numbers too: what is refused must be the same before and after.
numbers = st.floats(-1e6, 1e6) | st.sampled_from([0.0, -0.0, 1.0, math.nan, math.inf, 1e14, 5e-324])
labels = st.sampled_from([0.0, 1.0, 0.0, 1.0, 0.5])
lessons = st.builds(
    lesson, st.sampled_from(ACTIONS), st.lists(numbers, min_size=3, max_size=3), labels
)


def new_bank() -> Bank:
    return Bank("offers", "v1", ["x", "y", "z"])


@settings(max_examples=150)
@given(st.lists(lessons, max_size=12), st.lists(lessons, max_size=12))
def test_learning_goes_on_bit_for_bit_from_a_snapshot(
    before: list[Lesson], after: list[Lesson]
) -> None:
    never_stopped = new_bank()
    expected = teach(never_stopped, before + after)

    stopped = new_bank()
    first = teach(stopped, before)
    restored = restore(decode(encode(take(stopped))))
    second = teach(restored, after, start=len(before))

    assert repr(first + second) == repr(expected)
    assert encode(take(restored)) == encode(take(never_stopped))


@given(st.lists(lessons, max_size=12))
def test_saving_what_was_loaded_gives_the_same_bytes(taught: list[Lesson]) -> None:
    bank = new_bank()
    teach(bank, taught)
    data = encode(take(bank))
    assert encode(take(restore(decode(data)))) == data


def test_a_long_run_saved_at_many_places_ends_where_an_unbroken_one_does() -> None:
    rng = np.random.default_rng(11)
    rows = (rng.normal(size=(600, 3)) * [1.0, 1e5, 0.0] + [0.0, 1e5, 7.0]).tolist()
    picked = rng.integers(len(ACTIONS), size=600)
    taught = [
        lesson(ACTIONS[a], row, float(row[0] > 1.0)) for a, row in zip(picked, rows, strict=True)
    ]
    unbroken, broken = new_bank(), new_bank()
    for offset, one in enumerate(taught):
        unbroken.learn_one(one, offset)
        broken.learn_one(one, offset)
        if offset % 37 == 0:
            broken = restore(decode(encode(take(broken))))
    assert encode(take(broken)) == encode(take(unbroken))


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_and_never_crash(data: bytes) -> None:
    try:
        decode(data)
    except SnapshotError:
        return
    raise AssertionError("foreign bytes were accepted")


@given(st.data())
def test_a_snapshot_with_any_byte_altered_is_refused(data: st.DataObject) -> None:
    bank = new_bank()
    teach(bank, [lesson(ACTIONS[0], [1.0, 2.0, 3.0], 1.0)])
    sound = bytearray(encode(take(bank)))
    place = data.draw(st.integers(0, len(sound) - 1))
    sound[place] ^= data.draw(st.integers(1, 255))
    try:
        decode(bytes(sound))
    except SnapshotError:
        return
    raise AssertionError("an altered snapshot was accepted")
