"""Qini: does the score find customers whom the treatment persuades, or those who buy anyway?

Customers are ranked by score. After the best share `s` of them the Qini curve shows the extra
conversions of the treated among them, the controls scaled to the same number (Radcliffe: Using
control groups to target on predicted lift, 2007):

    Q(s) = R_t(s) - R_c(s) N_t(s) / N_c(s)

The coefficient is the area between the curve and the straight line of a random order, divided by
the number of treated: conversions per treated customer, 0 for a random order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Qini:
    """The curve at rising shares of the ranked, both starting at 0; `extra` is per treated."""

    share: Floats
    extra: Floats
    coefficient: float

    @property
    def overall(self) -> float:
        """The extra conversions per treated customer when everybody is treated."""
        return float(self.extra[-1])


def qini(score: Floats, treated: NDArray[np.bool_], reward: Floats, points: int = 100) -> Qini:
    """Return the Qini curve of a score, at up to `points` shares and 0.

    `score`, `treated`, `reward` are (n,). Rows of one score count together, so that their order in
    the log does not matter. ValueError unless there are treated and untreated rows.
    """
    if not treated.any() or treated.all():
        raise ValueError("a Qini curve needs treated and untreated rows")
    order = np.argsort(-score, kind="stable")
    score, treated, reward = score[order], treated[order], reward[order]
    ends = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    treated_rows, control_rows = np.cumsum(treated)[ends], np.cumsum(~treated)[ends]
    treated_sum = np.cumsum(np.where(treated, reward, 0.0))[ends]
    control_sum = np.cumsum(np.where(treated, 0.0, reward))[ends]
    scale = np.divide(treated_rows, control_rows, out=np.zeros(len(ends)), where=control_rows > 0)
    extra = np.append(0.0, (treated_sum - control_sum * scale) / treated.sum())
    share = np.append(0.0, (ends + 1) / len(score))
    area = float(np.trapezoid(extra - share * extra[-1], share))
    if len(share) > points + 1:
        kept = np.unique(np.linspace(0, len(share) - 1, points + 1).round().astype(int))
        share, extra = share[kept], extra[kept]
    return Qini(share, extra, area)
