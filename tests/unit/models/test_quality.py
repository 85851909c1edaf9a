"""Progressive quality agrees with what scikit-learn computes from all predictions at once."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from models.quality import Quality


def predictions(seed: int, count: int) -> tuple[list[float], list[bool]]:
    rng = np.random.default_rng(seed)
    p = 1.0 / (1.0 + np.exp(-(rng.normal(size=count) - 2.5)))
    return p.tolist(), (rng.random(count) < p).tolist()


def measured(probabilities: list[float], labels: list[bool]) -> Quality:
    quality = Quality()
    for probability, label in zip(probabilities, labels, strict=True):
        quality.update(probability, label)
    return quality


def test_log_loss_is_exact_and_auc_within_half_a_percent_of_the_batch_figures() -> None:
    probabilities, labels = predictions(seed=1, count=20_000)
    quality = measured(probabilities, labels)
    assert quality.log_loss() == pytest.approx(log_loss(labels, probabilities), abs=1e-9)
    assert quality.auc() == pytest.approx(roc_auc_score(labels, probabilities), abs=0.005)
    assert (quality.lessons, quality.positives) == (20_000, sum(labels))


def test_true_probabilities_are_found_calibrated_and_doubled_ones_are_not() -> None:
    probabilities, labels = predictions(seed=2, count=20_000)
    calibrated = measured(probabilities, labels).calibration_error()
    doubled = measured([min(2 * p, 0.99) for p in probabilities], labels).calibration_error()
    assert calibrated is not None
    assert doubled is not None
    assert calibrated < 0.01
    assert doubled == pytest.approx(float(np.mean(probabilities)), abs=0.02)


def test_nothing_is_claimed_before_there_is_evidence() -> None:
    quality = Quality()
    assert (quality.log_loss(), quality.auc(), quality.calibration_error()) == (None, None, None)
    quality.update(0.3, True)
    assert quality.auc() is None


@pytest.mark.parametrize("probability", [0.0, 1.0, 1e-300, 1.0 - 1e-16])
@pytest.mark.parametrize("label", [False, True])
def test_a_certain_prediction_costs_a_finite_loss(probability: float, label: bool) -> None:
    loss = measured([probability], [label]).log_loss()
    assert loss is not None
    assert 0.0 <= loss < 21.0


def test_ties_count_half() -> None:
    assert measured([0.2, 0.2, 0.2], [True, False, False]).auc() == 0.5


def test_a_copy_is_independent() -> None:
    quality = measured([0.2], [True])
    copy = quality.copy()
    quality.update(0.4, False)
    assert copy == measured([0.2], [True])
