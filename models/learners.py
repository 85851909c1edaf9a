"""The River pipelines that may learn an action: a table, and how one's state is read and set.

Features are keyed by their position, so a learner's arithmetic does not hang on string hashing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

from river import compose, linear_model, optim, preprocessing

from models.protocol import LEARNER_NAMES
from models.steps import REMEMBERED_LESSONS, STEPS, Steps


class LeanScaler(preprocessing.StandardScaler):
    """River's scaler, digit for digit, in half of its time: what it looks up twice is kept.

    >>> scaler = LeanScaler()
    >>> scaler.learn_one({0: 1.0}), scaler.learn_one({0: 3.0})
    (None, None)
    >>> scaler.transform_one({0: 3.0})
    {0: 1.0}
    """

    def learn_one(self, x: dict[Any, float]) -> None:
        """Take one lesson's features into the means and variances (Welford 1962)."""
        counts, means, variances = self.counts, self.means, self.vars
        for i, value in x.items():
            counts[i] = count = counts[i] + 1
            old_mean = means[i]
            means[i] = mean = old_mean + (value - old_mean) / count
            variance = variances[i]
            variances[i] = variance + ((value - old_mean) * (value - mean) - variance) / count


class LeanLogistic(linear_model.LogisticRegression):
    """River's logistic regression without what no learner here uses: penalties, lesson weights.

    It takes River's AdaGrad steps (to the last digit or two) in a third of the time, because no
    gradient is written down and nothing is copied. Source of the rule: Duchi, Hazan and Singer
    (2011), section 1.1, diagonal form.

    >>> learner = LeanLogistic(optim.AdaGrad(0.1, eps=1.0), intercept_lr=0.0)
    >>> learner.learn_one({0: 2.0}, True)
    >>> round(learner.weights[0], 6)
    0.070711
    """

    def learn_one(self, x: dict[Any, Any], y: Any, w: float = 1.0) -> None:
        """Take one AdaGrad step towards the label; `w` multiplies the gradient."""
        push = w * self.loss.gradient(y_true=y, y_pred=self._raw_dot_one(x))
        self.intercept -= self.intercept_lr.get(self.optimizer.n_iterations) * push
        optimizer, weights, sqrt = self.optimizer, self._weights, math.sqrt
        squared, eps, step = optimizer.g2, optimizer.eps, optimizer.learning_rate * push
        push_squared = push * push
        if not x.keys() <= weights.keys():
            weights.update(dict.fromkeys(x.keys() - weights.keys(), 0.0))
        for i, value in x.items():
            squared[i] = total = squared[i] + push_squared * value * value
            # A feature at its mean moves nothing, and without damping the root may be 0 too.
            if value:
                weights[i] -= step * value / sqrt(total + eps)
        optimizer.n_iterations += 1


def logistic(prior: float, steps: Steps = STEPS["logistic"]) -> compose.Pipeline:
    """Return a fresh scaled logistic regression that begins by answering `prior`, in (0, 1)."""
    return LeanScaler() | LeanLogistic(
        optimizer=optim.AdaGrad(steps.step, eps=steps.damping),
        intercept_init=math.log(prior / (1.0 - prior)),
        intercept_lr=optim.schedulers.InverseScaling(steps.intercept_step, 0.5),
    )


LEARNERS: dict[str, Callable[[float], compose.Pipeline]] = {
    name: partial(logistic, steps=STEPS[name]) for name in LEARNER_NAMES
}


class Weights(NamedTuple):
    """All a classifier has learned; lists are in the order of the features.

    >>> Weights(lessons=0, intercept=0.0, weights=[], squared_gradients=[]).lessons
    0
    """

    lessons: int
    intercept: float
    weights: list[float]
    squared_gradients: list[float]


class Scaling(NamedTuple):
    """All a scaler has learned: lessons, mean and population variance of each feature.

    >>> Scaling(counts=[2], means=[1.5], variances=[0.25]).means
    [1.5]
    """

    counts: list[int]
    means: list[float]
    variances: list[float]


class Scaler(Protocol):
    """River's `StandardScaler`, as far as it is used here (River types little of it)."""

    counts: dict[int, int]
    means: dict[int, float]
    vars: dict[int, float]

    def learn_one(self, x: dict[int, float]) -> None:
        """Take one lesson's features into the means and variances."""

    def transform_one(self, x: dict[int, float]) -> dict[int, float]:
        """Return (x - mean) / deviation, 0 for a feature that never varied."""


class Classifier(Protocol):
    """River's `LogisticRegression`, as far as it is used here."""

    optimizer: optim.AdaGrad
    intercept: float
    weights: dict[int, float]
    _weights: Any

    def learn_one(self, x: dict[int, float], y: bool) -> None:
        """Take one AdaGrad step towards the label."""

    def predict_proba_one(self, x: dict[int, float]) -> dict[bool, float]:
        """Return the probability of each label."""


def parts(pipeline: compose.Pipeline) -> tuple[Scaler, Classifier]:
    """Return the two steps of a pipeline of `LEARNERS`."""
    scaler, classifier = pipeline.steps.values()
    return scaler, classifier


def lessons_of(classifier: Classifier) -> int:
    """Return how many lessons the classifier has learned."""
    lessons: int = classifier.optimizer.n_iterations
    return lessons


def forget(classifier: Classifier) -> None:
    """Make the classifier doubt what it learned: it steps as wide as after `REMEMBERED` lessons.

    Its weights stay, as the best guess there is; its evidence is that of so many lessons.
    """
    lessons = lessons_of(classifier)
    if lessons > REMEMBERED_LESSONS:
        squared = classifier.optimizer.g2
        for i in squared:
            squared[i] *= REMEMBERED_LESSONS / lessons
        classifier.optimizer.n_iterations = REMEMBERED_LESSONS


def read_classifier(classifier: Classifier, width: int) -> Weights:
    """Return what the classifier has learned about its `width` features."""
    weights, squared = classifier.weights, classifier.optimizer.g2
    return Weights(
        lessons=lessons_of(classifier),
        intercept=float(classifier.intercept),
        weights=[weights.get(i, 0.0) for i in range(width)],
        squared_gradients=[squared.get(i, 0.0) for i in range(width)],
    )


def set_classifier(classifier: Classifier, state: Weights) -> None:
    """Make a fresh classifier go on from `state`, bit for bit."""
    classifier.optimizer.n_iterations = state.lessons
    classifier.intercept = state.intercept
    if state.lessons:
        classifier._weights.update(dict(enumerate(state.weights)))
        classifier.optimizer.g2.update(enumerate(state.squared_gradients))


def read_scaler(scaler: Scaler, width: int) -> Scaling:
    """Return what the scaler has learned about its `width` features."""
    return Scaling(
        counts=[scaler.counts.get(i, 0) for i in range(width)],
        means=[scaler.means.get(i, 0.0) for i in range(width)],
        variances=[scaler.vars.get(i, 0.0) for i in range(width)],
    )


def set_scaler(scaler: Scaler, state: Scaling) -> None:
    """Make a fresh scaler go on from `state`, bit for bit."""
    scaler.counts.update(dict(enumerate(state.counts)))
    scaler.means.update(enumerate(state.means))
    scaler.vars.update(enumerate(state.variances))


def keyed(features: Sequence[float]) -> dict[int, float]:
    """Return the features as River takes them: a mapping from their position."""
    return dict(enumerate(features))
