"""How well a model predicted, each lesson asked before it was learned (progressive validation).

Memory is bounded: predictions are counted in bins of the log-odds, so that rates of one in a
thousand are resolved as well as rates of one half.
"""

from __future__ import annotations

import math

import msgspec

# 64 bins, a quarter of a log-odd wide, over -8..8 (.03 % to 99.97 %); the outer two are open.
# Ties inside a bin count half, which costs the AUC less than .005 when scores spread over 1.
BINS = 64
BINS_PER_LOG_ODD = 4
LEAST_PROBABILITY = 1e-9
# Calibration is read in bins one log-odd wide: narrower ones mostly measure chance.
BINS_PER_CALIBRATION_BIN = 4


class Quality(msgspec.Struct, array_like=True):
    """Progressive quality of one action, or of a whole model.

    `rewarded` and `unrewarded` count lessons per bin of the predicted log-odds, and
    `predicted_sum` adds up the predictions of each bin.

    >>> quality = Quality()
    >>> for probability, label in ((0.1, False), (0.2, True), (0.05, False)):
    ...     quality.update(probability, label)
    >>> quality.lessons, quality.auc()
    (3, 1.0)
    """

    log_loss_sum: float = 0.0
    rewarded: list[int] = msgspec.field(default_factory=lambda: [0] * BINS)
    unrewarded: list[int] = msgspec.field(default_factory=lambda: [0] * BINS)
    predicted_sum: list[float] = msgspec.field(default_factory=lambda: [0.0] * BINS)

    def update(self, probability: float, label: bool) -> None:
        """Count one lesson: what was predicted, in [0, 1], and what came."""
        p = min(max(probability, LEAST_PROBABILITY), 1.0 - LEAST_PROBABILITY)
        odds = math.log(p / (1.0 - p))
        slot = min(max(int(odds * BINS_PER_LOG_ODD + BINS / 2), 0), BINS - 1)
        self.predicted_sum[slot] += p
        if label:
            self.rewarded[slot] += 1
            self.log_loss_sum -= math.log(p)
        else:
            self.unrewarded[slot] += 1
            self.log_loss_sum -= math.log1p(-p)

    def copy(self) -> Quality:
        """Return an independent copy."""
        return Quality(
            self.log_loss_sum,
            list(self.rewarded),
            list(self.unrewarded),
            list(self.predicted_sum),
        )

    @property
    def lessons(self) -> int:
        """How many lessons were counted."""
        return sum(self.rewarded) + sum(self.unrewarded)

    @property
    def positives(self) -> int:
        """How many of them were rewarded."""
        return sum(self.rewarded)

    def log_loss(self) -> float | None:
        """Return the mean progressive log-loss in nats, or None before the first lesson."""
        return self.log_loss_sum / self.lessons if self.lessons else None

    def auc(self) -> float | None:
        """Return the area under the ROC curve, in [0, 1], or None until both labels were seen.

        It is the chance that a rewarded lesson was scored above an unrewarded one (Mann-Whitney).
        """
        below, ordered = 0, 0.0
        for rewarded, unrewarded in zip(self.rewarded, self.unrewarded, strict=True):
            ordered += rewarded * (below + unrewarded / 2)
            below += unrewarded
        pairs = self.positives * below
        return ordered / pairs if pairs else None

    def calibration_error(self) -> float | None:
        """Return the expected calibration error, in [0, 1], or None before the first lesson.

        Mean over lessons of |predicted - observed| of the lesson's bin (Naeini et al. 2015).
        """
        if not self.lessons:
            return None
        off = 0.0
        for start in range(0, BINS, BINS_PER_CALIBRATION_BIN):
            span = slice(start, start + BINS_PER_CALIBRATION_BIN)
            off += abs(sum(self.predicted_sum[span]) - sum(self.rewarded[span]))
        return off / self.lessons
