"""What the deciding core needs of a model, and nothing more.

The core scores through `Scorer` and never sees River; `models.scoring` implements it in numpy.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# By name what `models.learning.learners` holds; the first learns where a catalogue names none.
LEARNER_NAMES = ("logistic", "careful", "bold")


def named_model(model: str, learner: str) -> str:
    """Return under which name a catalogue's model is kept when `learner` learns it.

    Each learner keeps its own, so that another one can learn beside it and take its place.

    >>> named_model("main", "logistic"), named_model("main", "careful")
    ('main', 'main.careful')
    """
    return model if learner == LEARNER_NAMES[0] else f"{model}.{learner}"


def learns_from(name: str) -> tuple[str, str]:
    """Return whose lessons a model of this name learns, and its learner.

    >>> learns_from("main"), learns_from("main.careful")
    (('main', 'logistic'), ('main', 'careful'))
    """
    model, _, learner = name.partition(".")
    return model, learner or LEARNER_NAMES[0]


def lessons_behind(version: str) -> int:
    """Return how many lessons there were before a model version, 0 for one that is no number.

    >>> lessons_behind("000000000570"), lessons_behind("v1")
    (570, 0)
    """
    return int(version) if version.isdecimal() else 0


class ActionKey(NamedTuple):
    """An action's place in the catalogue: the path along which its evidence backs off."""

    action: str
    family: str | None
    issue: str


class Evidence(NamedTuple):
    """The evidence behind the propensities of a actions; all but `overall` have shape (a,).

    `lessons` of each action, and `overall` of the whole model; `began_at` is how many the model
    had when the action's first came (infinite before it). `borrowed` is the share, in [0, 1], of
    a propensity that comes neither from the action nor from its family. `drift_boost` says how many
    times more than usual (>= 1) an action should be explored, because its response has drifted.
    `squares` (c + k,) sums up the squares of each feature over all lessons (empty without any):
    how much there was to learn about it.
    """

    lessons: Floats
    overall: int
    began_at: Floats
    borrowed: Floats
    drift_boost: Floats
    squares: Floats


def no_evidence(actions: int) -> Evidence:
    """Return the evidence of a model that has learned nothing.

    >>> no_evidence(1).borrowed.tolist()
    [1.0]
    """
    ones = np.ones(actions)
    return Evidence(np.zeros(actions), 0, np.full(actions, np.inf), ones, ones, np.zeros(0))


class Scorer(Protocol):
    """Scores a wave of customers for a fixed list of actions, with frozen weights."""

    @property
    def version(self) -> str:
        """The model version the weights were exported from."""

    @property
    def evidence(self) -> Evidence:
        """How much the version has learned of the scorer's actions."""

    def propensities(self, customer: Floats, action: Floats) -> Floats:
        """Return P(reward) per customer and action, in [0, 1].

        `customer` is (n, c): the columns of each customer; `action` is (n, a, k): the columns
        that depend on the action too, for the a actions of the scorer. Returns (n, a).
        """

    def contributions(self, features: Floats, actions: NDArray[np.intp]) -> Floats:
        """Return each feature's share of the log-odds of one action per row, (m, c + k).

        `features` is (m, c + k): a customer's columns, then those of the action whose index is in
        `actions` (m,).
        """
