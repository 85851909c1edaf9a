"""The learners, defined as River pipelines: `StandardScaler | LogisticRegression` under AdaGrad.

The pipelines say which loss, rates and damping a learner has. They are not fed in production:
`models.learning.bank_rows` takes the same steps for many classifiers at once, and
tests/contract/test_river_state.py holds both equal within 1e-9.
"""

from __future__ import annotations

import math
from collections.abc import Callable
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
