"""One named model: classifiers that share a feature space and back off to each other.

A classifier is `scaler | logistic`, defined as a River pipeline in `models.learning.learners`; its
steps are taken on rows of matrices (`models.learning.bank_rows`). One scaler serves the whole bank,
because all classifiers see the same columns: it is learned once a lesson instead of four times, and
an action's first lesson is scaled by what all lessons before have taught.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.backoff import LEVELS, MOST_PIPELINES, PipelineKey, mixture, path_of
from models.calibration import Calibration
from models.drift import Watch
from models.learning.bank_rows import ClassifierRows, ScalerRow, probability
from models.learning.learners import LEARNERS
from models.learning_rates import REMEMBERED_LESSONS
from models.lesson_result import LearnerProgress, Refusal, RefusalReason
from models.protocol import ActionKey, learns_from
from models.quality import Quality
from schemas.records import Lesson

# Largest sum of a lesson's magnitudes. A scaler squares what it sees: beyond this a column is
# broken, and would poison it for good. Hundreds of epoch milliseconds (1.7e12) stay below.
LARGEST_TOTAL = 1e15


class Bank:
    """A model that learns lessons one by one, with one writer and a place in its lessons topic.

    `feature_names` are the customer's columns followed by the action's columns, as in a lesson.
    `prior` is the propensity, in (0, 1), of an action when nothing at all was learned.

    >>> bank = Bank("offers", "v1", ["visits", "price"])
    >>> bank.propensity(ActionKey("gold_card", "cards", "sell"), [3.0, 10.0])
    0.05
    """

    def __init__(
        self,
        name: str,
        feature_version: str,
        feature_names: Sequence[str],
        *,
        prior: float = 0.05,
        learner: str = "logistic",
        lessons_partition: int = 0,
    ) -> None:
        if not 0.0 < prior < 1.0:
            raise ValueError(f"prior {prior} is not between 0 and 1; give a response rate like .05")
        if len(set(feature_names)) != len(feature_names):
            raise ValueError("a feature name occurs twice; every column needs a name of its own")
        self.name = name
        self._lessons_of, _ = learns_from(name)
        self.feature_version = feature_version
        self.feature_names = tuple(feature_names)
        self.prior = prior
        self.learner = learner
        self.lessons_partition = lessons_partition
        self.next_lesson_offset = 0
        # Per timeline partition, the order of the last lesson learned from it.
        self.taught: dict[int, tuple[int, int, int, str]] = {}
        self.overall = Quality()
        self.quality: dict[str, Quality] = {}
        self.watches: dict[str, Watch] = {}
        self.refused: dict[str, int] = {}
        self.scaler = ScalerRow(len(self.feature_names))
        self.classifiers = ClassifierRows(len(self.feature_names), LEARNERS[learner](prior))
        self._paths: dict[ActionKey, _Path] = {}
        self.calibration = Calibration()

    def learn_one(self, lesson: Lesson, offset: int) -> LearnerProgress | Refusal:
        """Predict, then learn, the lesson at `offset` of the lessons topic.

        What must not be learned is refused and counted, and the bank moves past it. An offset
        that was passed before changes nothing: `REPEATED`.
        """
        if offset < self.next_lesson_offset:
            detail = f"offset {offset} lies before {self.next_lesson_offset}, the next to learn"
            return Refusal(RefusalReason.REPEATED, detail)
        self.next_lesson_offset = offset + 1
        refusal = self._refuse(lesson) or self._repeated(lesson) or _held_out(lesson)
        if refusal is not None:
            self.refused[refusal.reason] = self.refused.get(refusal.reason, 0) + 1
            return refusal
        return self._learn(lesson)

    def propensity(self, action: ActionKey, features: Sequence[float]) -> float:
        """Return the present P(reward), in [0, 1]; `features` as in a lesson."""
        path = path_of(action)
        known = [key for key in path if key is not None and key in self.classifiers]
        rows = np.array([self.classifiers.row(key) for key in known], np.intp)
        odds = self.classifiers.log_odds(rows, self.scaler.scaled(np.array(features, float)))
        blended = self._blend(path, dict(zip(known, odds, strict=True)))
        return self.calibration.calibrate(blended)

    def _refuse(self, lesson: Lesson) -> Refusal | None:
        why = RefusalReason
        if lesson.model != self._lessons_of:
            return Refusal(why.WRONG_MODEL, f"is for model {lesson.model!r}, not {self.name!r}")
        if lesson.feature_version != self.feature_version:
            detail = (
                f"features are version {lesson.feature_version!r}, not {self.feature_version!r}"
            )
            return Refusal(why.FEATURE_VERSION, detail)
        if len(lesson.features) != len(self.feature_names):
            detail = f"{len(lesson.features)} features instead of {len(self.feature_names)}"
            return Refusal(why.FEATURE_COUNT, detail)
        # One pass in C; NaN fails every comparison, so it is refused too.
        if not sum(map(abs, lesson.features)) <= LARGEST_TOTAL:
            return Refusal(why.NOT_FINITE, self._name_broken(lesson.features))
        if lesson.label not in (0.0, 1.0):
            return Refusal(why.LABEL, f"label {lesson.label} is neither 0 nor 1")
        if len(self.classifiers) > MOST_PIPELINES - len(LEVELS) and self._exceeds(lesson):
            detail = f"{MOST_PIPELINES} pipelines are the limit; are action names made up?"
            return Refusal(why.TOO_MANY_ACTIONS, detail)
        return None

    def _exceeds(self, lesson: Lesson) -> bool:
        path = path_of(_action(lesson))
        new = sum(key is not None and key not in self.classifiers for key in path)
        return new > 0 and len(self.classifiers) + new > MOST_PIPELINES

    def _repeated(self, lesson: Lesson) -> Refusal | None:
        """Refuse what a decide worker sent again after a crash: it comes in the same order."""
        if lesson.place is None:
            return None
        partition = lesson.place.partition
        if lesson.order <= self.taught.get(partition, (-1, 0, 0, "")):
            detail = f"decision {lesson.decision_id} was settled and learned before"
            return Refusal(RefusalReason.REPEATED, detail)
        self.taught[partition] = lesson.order
        return None

    def _name_broken(self, features: Sequence[float]) -> str:
        magnitudes = [abs(x) if x == x else math.inf for x in features]
        worst = magnitudes.index(max(magnitudes))
        return (
            f"feature {self.feature_names[worst]!r} is {features[worst]}; finite numbers that sum "
            f"to at most {LARGEST_TOTAL:g} are learned"
        )

    def _learn(self, lesson: Lesson) -> LearnerProgress:
        label = lesson.label == 1.0
        # The scaler sees no label, so it may learn before the prediction: one pass over the
        # columns less, and progressive validation stays honest.
        scaled = self.scaler.learn(np.array(lesson.features, float))
        path = self._path(_action(lesson))
        odds = self.classifiers.log_odds(path.rows, scaled)
        uncalibrated = self._blend(path.keys, dict(zip(path.known, odds, strict=True)))
        propensity = self.calibration.calibrate(uncalibrated)
        # Of the promise: a calibration that follows a drift would hide it.
        drifted = self._watch(lesson.action).update(uncalibrated, label)
        self.overall.update(propensity, label)
        self.quality.setdefault(lesson.action, Quality()).update(propensity, label)
        self.calibration.learn_one(uncalibrated, label)
        self.classifiers.learn(path.rows, scaled, label, odds)
        if drifted:
            # Its family learned from the same customers; an issue has too many others in it.
            for stale in filter(None, path.keys[:2]):
                self.classifiers.forget(self.classifiers.row(stale), REMEMBERED_LESSONS)
        return LearnerProgress(propensity, label, drifted)

    def _watch(self, action: str) -> Watch:
        watch = self.watches.get(action)
        if watch is None:
            watch = self.watches[action] = Watch(began_at=self.overall.lessons)
        return watch

    def _path(self, action: ActionKey) -> _Path:
        """Return an action's pipelines, made if need be."""
        path = self._paths.get(action)
        if path is None:
            keys = path_of(action)
            known = [key for key in keys if key is not None]
            rows = np.array([self.classifiers.row(key) for key in known], np.intp)
            path = self._paths[action] = _Path(keys, known, rows)
        return path

    def _blend(
        self, path: Sequence[PipelineKey | None], odds: Mapping[PipelineKey, float]
    ) -> float:
        """Return the propensity of an action from the log-odds of its classifiers."""
        shares = mixture([self.classifiers.lessons(key) if key else 0 for key in path])
        propensity = shares[-1] * self.prior
        for share, key in zip(shares, path, strict=False):
            if share and key is not None:
                propensity += share * probability(odds[key])
        return propensity


class _Path(NamedTuple):
    """An action's pipelines: in the order of `LEVELS`, those there are, and their rows."""

    keys: Sequence[PipelineKey | None]
    known: Sequence[PipelineKey]
    rows: NDArray[np.intp]


def _held_out(lesson: Lesson) -> Refusal | None:
    """Refuse a lesson that was decided and never published: the customer could not respond."""
    if lesson.published:
        return None
    detail = f"decision {lesson.decision_id} was for a held-out customer, who got nothing"
    return Refusal(RefusalReason.HELD_OUT, detail)


def _action(lesson: Lesson) -> ActionKey:
    return ActionKey(lesson.action, lesson.family, lesson.issue)
