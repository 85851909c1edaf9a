"""Another policy's value on a log of decisions: the rows, and what the estimators say of them.

A row is one settled decision of the logging policy. Rows in which the target would do what the
logging policy could not have done are left out and counted; the estimate is about the remaining
decisions only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from models.evaluation.estimators import (
    MAX_UNSUPPORTED_SHARE,
    ClipReport,
    Estimate,
    Evaluation,
    clip_report,
    dm,
    dr,
    ips,
    snips,
)

# Weights beyond this are cut: one decision must not speak for twenty others.
CLIP = 20.0


class Row(NamedTuple):
    """One decision: its probability then and now, what came of it and what the model expected.

    `unsupported` is the target's probability on what could not be chosen. `expected` is the
    model's value of the target, `predicted` that of what was chosen, in the unit of `reward`.
    """

    customer: int
    logged: float
    target: float
    unsupported: float
    reward: float
    predicted: float
    expected: float


@dataclass(frozen=True, slots=True)
class PolicyValue:
    """The value of a changed policy per decision, and the evidence for it.

    `values` and `gains` are by estimator; a gain is over what the log itself earned.
    `without_support` of the `settled` decisions are in neither, save in the model's own opinion
    (DM), which is about all of them. `clipped` tells what cutting weights took away.
    """

    settled: int
    without_support: int
    logged_value: float
    clipped: ClipReport | None
    values: dict[str, Estimate]
    gains: dict[str, Estimate]


def evaluate(rows: Sequence[Row], clip: float | None = CLIP) -> PolicyValue | None:
    """Estimate the target's value and gain; None without a row."""
    if not rows:
        return None
    table = np.array([row[1:] for row in rows], np.float64)
    customers = np.array([row.customer for row in rows], np.uint64).astype(np.int64)
    kept = table[:, 2] <= MAX_UNSUPPORTED_SHARE
    logged, target, _, rewards, predicted, expected = table[kept].T
    values: dict[str, Estimate] = {}
    gains: dict[str, Estimate] = {}
    for found, baseline in ((values, None), (gains, rewards)):
        how = Evaluation(clip=clip, clusters=customers[kept], baseline=baseline)
        found["ips"] = ips(rewards, logged, target, how)
        found["snips"] = snips(rewards, logged, target, how)
        found["dr"] = dr(rewards, logged, target, predicted, expected, how)
        every = Evaluation(clusters=customers, baseline=None if baseline is None else table[:, 3])
        found["dm"] = dm(table[:, 3], table[:, 5], every)
    return PolicyValue(
        settled=len(rows),
        without_support=int((~kept).sum()),
        logged_value=float(rewards.mean()) if len(rewards) else float("nan"),
        clipped=None if clip is None else clip_report(logged, target, clip),
        values=values,
        gains=gains,
    )
