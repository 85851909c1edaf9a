"""A classifier of a bank as a River pipeline, to compare what both predict."""

from __future__ import annotations

from collections.abc import Sequence

from river import compose

from models.backoff import PipelineKey
from models.learning.bank import Bank
from models.learning.learners import LEARNERS, Learned, Scaling, parts


def pipeline_of(bank: Bank, key: PipelineKey) -> compose.Pipeline:
    """Return a copy of one classifier with the bank's scaler; fresh if `key` learned nothing."""
    learned = bank.classifiers.learned(key)
    return _filled(LEARNERS[bank.learner](bank.prior), bank.scaler.scaling, learned)


def _filled(pipeline: compose.Pipeline, scaling: Scaling, learned: Learned) -> compose.Pipeline:
    """Return a fresh pipeline of `LEARNERS` that has learned what the rows have."""
    scaler, classifier = parts(pipeline)
    if scaling.counts.any():
        scaler.counts.update(dict(enumerate(scaling.counts.astype(int).tolist())))
        scaler.means.update(enumerate(scaling.means.tolist()))
        scaler.vars.update(enumerate(scaling.variances.tolist()))
    classifier.intercept = learned.intercept
    classifier.optimizer.n_iterations = learned.lessons
    if learned.lessons:
        classifier._weights.update(dict(enumerate(learned.weights.tolist())))
        classifier.optimizer.g2.update(enumerate(learned.squares.tolist()))
    return pipeline


def keyed(features: Sequence[float]) -> dict[int, float]:
    """Return features as River takes them: keyed by their position."""
    return dict(enumerate(features))
