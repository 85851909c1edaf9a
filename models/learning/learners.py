"""The River pipelines that may learn an action, as a table of what they are made of.

A bank takes their steps for many pipelines at once (`models.learning.bank_rows`); `filled` hands
one back as River has it. Features are keyed by their position, so arithmetic does not hang on
string hashing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from river import compose, linear_model, optim, preprocessing

from models.learning_rates import STEPS, StepSizes
from models.protocol import LEARNER_NAMES, Floats


def logistic(prior: float, steps: StepSizes = STEPS["logistic"]) -> compose.Pipeline:
    """Return a fresh scaled logistic regression that begins by answering `prior`, in (0, 1)."""
    return preprocessing.StandardScaler() | linear_model.LogisticRegression(
        optimizer=optim.AdaGrad(steps.step, eps=steps.damping),
        intercept_init=math.log(prior / (1.0 - prior)),
        intercept_lr=optim.schedulers.InverseScaling(steps.intercept_step, 0.5),
    )


LEARNERS: dict[str, Callable[[float], compose.Pipeline]] = {
    name: partial(logistic, steps=STEPS[name]) for name in LEARNER_NAMES
}


class Scaling(NamedTuple):
    """All a scaler has learned: lessons, mean and population variance of each feature, (width,)."""

    counts: Floats
    means: Floats
    variances: Floats


class Learned(NamedTuple):
    """All a classifier has learned; `weights` and `squares` (of the gradients) are (width,)."""

    lessons: int
    intercept: float
    weights: Floats
    squares: Floats


def parts(pipeline: compose.Pipeline) -> tuple[Any, Any]:
    """Return the scaler and the classifier of a pipeline of `LEARNERS`."""
    scaler, classifier = pipeline.steps.values()
    return scaler, classifier


def filled(pipeline: compose.Pipeline, scaling: Scaling, learned: Learned) -> compose.Pipeline:
    """Return a fresh pipeline of `LEARNERS` after it was given what rows have learned."""
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
    """Return the features as River takes them: a mapping from their position."""
    return dict(enumerate(features))
