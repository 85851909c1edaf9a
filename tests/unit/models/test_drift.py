"""Drift is found as River's ADWIN finds it, survives a restart, and calms down."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from river import drift

from models.drift import MOST_UNREST, WARM_UP_LESSONS, Watch, Window
from models.learning.bank import Bank
from models.learning.capture import restore, take
from models.learning_rates import REMEMBERED_LESSONS
from models.lesson_result import LearnerProgress
from models.protocol import ActionKey
from models.scoring import LinearScorer, PriorScorer
from models.snapshot.snapshot_codec import decode, encode
from models.snapshot.snapshot_record import SnapshotError
from tests.unit.models.learning.test_world import FEATURE_VERSION, MODEL, lesson

KEYS = [ActionKey("tea", "drinks", "offers"), ActionKey("cups", "ware", "offers")]


def stream(seed: int, *stretches: tuple[int, float]) -> NDArray[np.bool_]:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.random(count) < rate for count, rate in stretches])


def found(labels: NDArray[np.bool_]) -> list[int]:
    window = Window()
    return [n for n, label in enumerate(labels.tolist()) if window.update(float(label))]


def test_a_rate_that_stays_raises_no_alarm_in_ten_thousand() -> None:
    assert found(stream(1, (10_000, 0.2))) == []


@pytest.mark.parametrize(("rate", "within"), [(0.4, 300), (0.3, 900), (0.02, 300)])
def test_a_rate_that_changes_is_found_soon(rate: float, within: int) -> None:
    alarms = found(stream(2, (3_000, 0.2), (1_500, rate)))
    assert 3_000 < alarms[0] < 3_000 + within


@pytest.mark.parametrize("seed", range(6))
def test_the_first_drift_is_rivers(seed: int) -> None:
    labels = stream(seed, (2_000, 0.2), (1_000, 0.35))
    rivers: Any = drift.ADWIN(delta=0.002)  # type: ignore[no-untyped-call]  # untyped upstream
    for place, label in enumerate(labels.tolist()):
        rivers.update(float(label))
        if rivers.drift_detected:
            assert found(labels)[0] == place
            return
    assert found(labels) == []


def test_a_window_keeps_the_mean_and_variance_of_what_is_in_it() -> None:
    numbers = np.random.default_rng(3).random(700)
    window = Window()
    assert not any(window.update(x) for x in numbers.tolist())
    assert window.total / window.size == pytest.approx(numbers.mean())
    assert window.spread / window.size == pytest.approx(numbers.var())
    assert sum(map(len, window.totals)) < 60


def test_an_action_is_watched_once_it_is_known_and_its_unrest_fades() -> None:
    watch = Watch()
    assert not any(watch.update(0.05, True) for _ in range(WARM_UP_LESSONS))
    assert watch.drift_boost == 1.0
    assert not any(watch.update(0.2, n % 5 == 0) for n in range(2_000))
    drifted = [watch.update(0.2, False) for _ in range(400)]
    assert drifted.count(True) == watch.drifts > 0
    levels = []
    for _ in range(300):
        watch.update(0.0, False)
        levels.append(watch.drift_boost)
    assert all(1.0 < level <= MOST_UNREST for level in levels)
    assert levels == sorted(levels, reverse=True) or watch.drifts > 1


def taught(labels: NDArray[np.bool_], bank: Bank | None = None) -> tuple[Bank, list[int]]:
    bank = bank or Bank(MODEL, FEATURE_VERSION, ["x", "none"], prior=0.2)
    drifts = []
    for label in labels.tolist():
        offset = bank.next_lesson_offset
        progress = bank.learn_one(lesson(KEYS[0], [float(offset % 3), 0.0], float(label)), offset)
        if isinstance(progress, LearnerProgress) and progress.drifted:
            drifts.append(offset)
    return bank, drifts


def test_a_drifted_action_is_doubted_and_its_rivals_are_explored() -> None:
    # Settled for so long that its model hardly moves any more.
    bank, drifts = taught(stream(5, (3_000, 0.3), (300, 0.0)))
    assert drifts
    assert drifts[0] > 3_000
    least = min(bank.classifiers.lessons(key) for key in bank.classifiers)
    assert least < REMEMBERED_LESSONS + 300
    evidence = LinearScorer(take(bank), KEYS).evidence
    assert evidence.drift_boost[0] > 1.0 == evidence.drift_boost[1]
    # Doubt does not take back what a ramp has let in.
    assert evidence.lessons.tolist() == [3_300, 0]


def test_a_restored_model_finds_the_same_drifts_at_the_same_lessons() -> None:
    labels = stream(6, (1_500, 0.3), (600, 0.02))
    straight, drifts = taught(labels)
    for cut in (150, 1_000, 1_555):
        first, before = taught(labels[:cut])
        again, after = taught(labels[cut:], restore(decode(encode(take(first)))))
        assert before + after == drifts
        assert encode(take(again)) == encode(take(straight))


def test_evidence_tells_what_was_learned_of_each_action() -> None:
    bank, _ = taught(stream(7, (300, 0.1)))
    bank.learn_one(lesson(KEYS[1], [0.0, 0.0], 0.0), 300)
    evidence = LinearScorer(take(bank), [KEYS[1], ActionKey("soap", None, "offers"), KEYS[0]])
    assert evidence.evidence.lessons.tolist() == [1, 0, 300]
    assert evidence.evidence.overall == 301
    assert evidence.evidence.began_at.tolist() == [300, np.inf, 0]
    assert evidence.evidence.borrowed.tolist() == pytest.approx([300**2 / 301**2, 1, 0.25])
    assert PriorScorer(KEYS, 0.1).evidence.overall == 0


def test_a_model_of_an_older_release_knew_its_actions_from_the_beginning() -> None:
    bank, _ = taught(stream(8, (250, 0.1)))
    older = msgspec.structs.replace(take(bank), watches={})
    again = restore(older)
    assert again.watches["tea"].lessons == 250
    assert again.watches["tea"].began_at == 0
    assert restore(take(again)).watches["tea"].lessons == 250


@pytest.mark.parametrize(
    "broken",
    [
        {"window": Window(totals=[[0.5]], spreads=[])},
        {"window": Window(totals=[[0.5]], spreads=[[0.0]], size=3)},
        {"window": Window(totals=[[float("nan")]], spreads=[[0.0]], size=1)},
        {"lessons": -1},
    ],
)
def test_a_watch_that_contradicts_itself_is_refused(broken: dict[str, Any]) -> None:
    bank, _ = taught(stream(9, (20, 0.1)))
    snapshot = msgspec.structs.replace(take(bank), watches={"tea": Watch(**broken)})
    with pytest.raises(SnapshotError, match="contradicts itself"):
        decode(encode(snapshot))
