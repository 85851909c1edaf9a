"""Features that give the outcome away: a column that was filled after the outcome had come.

A call's duration, a status that says "bought", a total of the whole period: with one of them a
back-test predicts almost perfectly, and a worker, which does not have it yet, does not.
"""

from __future__ import annotations

import numpy as np

from streams.analysis.backtest.campaign_log import Flags, Floats, Log
from streams.analysis.backtest.category_codes import MISSING, Category
from streams.analysis.backtest.prediction_quality import auc

# Real features of customers stay far below: .99 is the outcome under another name.
GIVEN_AWAY_AUC = 0.99
# With fewer rows of either label some column separates them by chance.
MIN_ROWS = 30


def columns_that_give_the_outcome_away(log: Log) -> list[tuple[str, float]]:
    """Return the features whose AUC alone is above .99, with it, in the rows that are judged."""
    judged = log.judged
    labels = log.label[judged]
    if min(int(labels.sum()), int((~labels).sum())) < MIN_ROWS:
        return []
    found = [(name, _of_numbers(values[judged], labels)) for name, values in log.numbers.items()]
    found += [(name, _of_names(held, judged, labels)) for name, held in log.categories.items()]
    return [(name, score) for name, score in found if score > GIVEN_AWAY_AUC]


def _of_numbers(values: Floats, labels: Flags) -> float:
    best = 0.0
    # A missing value may belong to either label.
    for missing in (-np.inf, np.inf) if np.isnan(values).any() else (0.0,):
        score = auc(np.where(np.isnan(values), missing, values), labels)
        assert score is not None
        best = max(best, score, 1.0 - score)
    return best


def _of_names(category: Category, judged: Flags, labels: Flags) -> float:
    codes = category.codes[judged].astype(np.int64) - MISSING
    scores = np.empty(len(codes))
    odd = np.arange(len(codes)) % 2 == 1
    # Each half is scored by the rates of the other one.
    for half in (odd, ~odd):
        rows = np.bincount(codes[~half], minlength=int(codes.max()) + 1)
        came = np.bincount(codes[~half], labels[~half], minlength=len(rows))
        scores[half] = ((came + 0.5) / (rows + 1.0))[codes[half]]
    found = auc(scores, labels)
    assert found is not None
    return found
