"""Promises are corrected by what came of them: order stays, and what was right stays right."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calibration import Calibration
from models.learning.capture import restore, take
from models.scoring import LinearScorer
from models.snapshot.snapshot_codec import decode, encode
from models.snapshot.snapshot_record import SnapshotError
from tests.unit.models.learning.test_world import fresh_bank, make_world, teach


def _taught(seed: int, slope: float, intercept: float, lessons: int) -> Calibration:
    """Teach promises whose true log-odds are `slope` times theirs plus `intercept`."""
    chance, calibration = np.random.default_rng(seed), Calibration()
    for odds in chance.normal(-2.0, 1.0, lessons).tolist():
        truth = 1.0 / (1.0 + math.exp(-slope * odds - intercept))
        promised = 1.0 / (1.0 + math.exp(-odds))
        calibration.learn_one(promised, bool(chance.random() < truth))
    return calibration


@pytest.mark.parametrize(("slope", "intercept"), [(1.4, 0.5), (0.7, -0.5), (1.0, 0.0)])
def test_timid_and_bold_promises_are_put_right(slope: float, intercept: float) -> None:
    calibration = _taught(1, slope, intercept, 60_000)
    for odds in (-4.0, -2.0, -0.5):
        truth = 1.0 / (1.0 + math.exp(-slope * odds - intercept))
        assert calibration.calibrate(1.0 / (1.0 + math.exp(-odds))) == pytest.approx(
            truth, rel=0.15
        )


@given(st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans()), max_size=60))
def test_whatever_is_learned_order_stays_and_waves_say_the_same(
    lessons: list[tuple[float, bool]],
) -> None:
    calibration = Calibration()
    for promised, label in lessons:
        calibration.learn_one(promised, label)
    assert calibration.is_sound
    promises = np.array([0.0, 1e-12, 0.01, 0.3, 0.7, 0.999, 1.0])
    said = calibration.calibrate_all(promises.copy())
    assert (np.diff(said) >= 0).all()
    assert ((said >= 0) & (said <= 1)).all()
    assert said == pytest.approx([calibration.calibrate(p) for p in promises.tolist()], abs=1e-12)


def test_it_travels_with_the_snapshot_and_an_older_one_begins_anew() -> None:
    world = make_world(seed=3, lessons=800)
    bank = fresh_bank(world)
    teach(bank, world.lessons())
    assert bank.calibration != Calibration()
    snapshot = decode(encode(take(bank)))
    assert restore(snapshot).calibration == bank.calibration
    fields = msgspec.msgpack.decode(msgspec.msgpack.encode(snapshot))
    older = msgspec.convert(fields[:-1], type(snapshot))
    assert restore(older).calibration == Calibration()
    spoilt = msgspec.structs.replace(snapshot, calibration=Calibration(slope=-1.0))
    with pytest.raises(SnapshotError, match="calibration"):
        decode(encode(spoilt))
    wave = world.features[:5]
    exact = LinearScorer(snapshot, list(world.actions[:2])).exact_propensities(
        wave, np.zeros((5, 2, 0))
    )
    for row, features in enumerate(wave.tolist()):
        for place, action in enumerate(world.actions[:2]):
            assert exact[row, place] == pytest.approx(bank.propensity(action, features), abs=1e-9)
