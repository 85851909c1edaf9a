"""How well labels were predicted before they were known: AUC, log-loss, calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.quality import Quality
from streams.analysis.backtest.campaign_log import Flags, Floats, Log

CALIBRATION_BINS = 15


@dataclass(frozen=True)
class Progressive:
    """How well labels were predicted before they were known; None where both kinds are missing."""

    rows: int
    positives: int
    auc: float | None
    log_loss: float | None
    ece: float | None
    quality: Quality


def auc(scores: Floats, labels: Flags) -> float | None:
    """Return the area under the ROC curve, exactly; ties count half. None without both labels.

    >>> auc(np.array([0.1, 0.4, 0.4]), np.array([False, True, False]))
    0.75
    """
    positives = int(labels.sum())
    if not 0 < positives < len(labels):
        return None
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(count) - (count - 1) / 2.0
    above = float(ranks[place][labels].sum()) - positives * (positives + 1) / 2.0
    return above / (positives * (len(labels) - positives))


def calibration_error(scores: Floats, labels: Flags) -> float | None:
    """Return the expected calibration error, in [0, 1]; None without rows.

    The interval from 0 to 1 is parted into fifteen bins of equal width: the mean over rows of
    |predicted - observed| of the row's bin (Guo, Pleiss, Sun, Weinberger: On calibration of modern
    neural networks, ICML 2017, equation 3 with M = 15; the default of torchmetrics, too). Where
    outcomes are rare nearly all rows share the first bin, and it says little more than whether
    their mean is right; a worker, which tells one in a thousand from one in a hundred, counts in
    bins of the log-odds instead (`models.quality`).

    >>> calibration_error(np.full(20, 0.5), np.arange(20) % 2 == 0)
    0.0
    """
    if not len(scores):
        return None
    bins = np.minimum((scores * CALIBRATION_BINS).astype(np.intp), CALIBRATION_BINS - 1)
    away = np.bincount(bins, scores - labels, CALIBRATION_BINS)
    return float(np.abs(away).sum()) / len(scores)


def judge_predictions(log: Log, propensity: Floats) -> Progressive:
    """Judge the propensities of the logged actions, in the rows that are judged."""
    judged = log.judged
    scores, labels = propensity[judged], log.label[judged]
    quality = Quality()
    for score, label in zip(scores.tolist(), labels.tolist(), strict=True):
        quality.update(score, label)
    return Progressive(
        rows=len(labels),
        positives=int(labels.sum()),
        auc=auc(scores, labels),
        log_loss=quality.log_loss(),
        ece=calibration_error(scores, labels),
        quality=quality,
    )
