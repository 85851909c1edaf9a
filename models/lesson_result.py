"""What came of a lesson: it was learned, or refused for a reason."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class RefusalReason(StrEnum):
    """Why a lesson was not learned.

    >>> RefusalReason.LABEL.value
    'label'
    """

    WRONG_MODEL = "wrong_model"
    FEATURE_VERSION = "feature_version"
    FEATURE_COUNT = "feature_count"
    NOT_FINITE = "not_finite"
    LABEL = "label"
    TOO_MANY_ACTIONS = "too_many_actions"
    REPEATED = "repeated"
    HELD_OUT = "held_out"


class Refusal(NamedTuple):
    """A lesson that was not learned: a reason code and a sentence for people.

    >>> Refusal(RefusalReason.LABEL, "label 0.5 is neither 0 nor 1").reason.value
    'label'
    """

    reason: RefusalReason
    detail: str


class LearnerProgress(NamedTuple):
    """A lesson that was learned: the propensity predicted before learning it, and its label.

    `drifted`: with it, it was clear that the action's response is no longer what it was.

    >>> LearnerProgress(propensity=0.05, label=True).label
    True
    """

    propensity: float
    label: bool
    drifted: bool = False
