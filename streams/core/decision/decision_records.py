"""Writing down what a wave chose: the decision of each customer, and the action to publish.

What is the same for a whole wave is turned into Python values once, column by column: built one
decision at a time, records would cost more than choosing does.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.protocol import Scorer
from schemas.records import Decision, NextBestAction
from schemas.symbols import ARMS
from streams.core.arbitration.arms import HOLDOUT
from streams.core.catalogue.service import SERVICE_FIRST, Flags, is_service
from streams.core.catalogue.values import NO_ACTION, Action, Catalogue, Treatment
from streams.core.channels import BY_PEOPLE
from streams.core.decision.challenger_decision import ChallengerResult
from streams.core.decision.customer_brief import customer_brief
from streams.core.decision.due import DecisionDue
from streams.core.decision.explanation import Reasons
from streams.core.decision.personalisation import items_for, personalised
from streams.core.features.definitions import FEATURE_NAMES, FEATURE_VERSION
from streams.core.features.extract import Columns
from streams.core.features.wave import Floats
from streams.core.moments import SESSION_MOMENTS
from streams.core.policy.funnel import CANDIDATE, Funnel

# The index of the customer's stated preference for the action's family in the model's input.
_PREFERENCE = FEATURE_NAMES.index("family_preference")


@dataclass(frozen=True, slots=True)
class Choices:
    """What was chosen for a wave of n customers among a actions and, last, `no_action`.

    `treatments` (n, a) is each action's treatment; `priorities` and `probabilities` are (n, a + 1),
    `propensities` and `weights` (n, a), the others (n,). `stated` (n, a) is the shift of log-odds
    by stated preferences, None if no customer stated one. `owed` (n,) is true where only service
    competed. `shadow` is the choice with the actions on trial: -1 where none took part, None
    without a trial. `challenger` is the choice of a challenger.
    """

    columns: Columns
    funnel: Funnel
    treatments: NDArray[np.intp]
    propensities: Floats
    weights: Floats
    priorities: Floats
    probabilities: Floats
    draws: Floats
    arms: NDArray[np.intp]
    chosen: NDArray[np.intp]
    quiet_until_ms: Floats
    may_personalize: NDArray[np.bool_]
    owed: Flags
    stated: Floats | None = None
    shadow: NDArray[np.intp] | None = None
    challenger: ChallengerResult | None = None


class DecidedWave(NamedTuple):
    """A decision and what it was made of.

    `published` is None for `no_action`, and for marketing to the control group; `action`,
    `treatment` and `seen` (the model's input, float32 bytes) are set for the control group too.
    `wait_until_ms` is when to decide again because quiet hours delay an action, 0 for never.
    """

    due: DecisionDue
    decision: Decision
    published: NextBestAction | None
    action: Action | None
    treatment: Treatment | None
    seen: bytes
    wait_until_ms: int = 0


class Publisher:
    """Writes the records of waves decided under one catalogue and one scorer."""

    def __init__(self, catalogue: Catalogue, actions: Sequence[Action], scorer: Scorer) -> None:
        self._catalogue = catalogue
        self._actions = actions
        self._names = [*(action.id for action in actions), NO_ACTION]
        self._scorer = scorer
        self._reasons = Reasons(catalogue.phrases)

    def write(
        self, due: Sequence[DecisionDue], ids: Sequence[str], choices: Choices
    ) -> list[DecidedWave]:
        """Return what was decided for every customer of the wave, in its order."""
        wave = _Rows(choices, self._scorer, len(self._actions))
        decided = [self._decided(wave, row, ids[row], due[row]) for row in range(len(due))]
        if choices.challenger is not None:
            for each, challenge in zip(
                decided, choices.challenger.records(self._names), strict=True
            ):
                each.decision.challenger = challenge
        return decided

    def _decided(self, wave: _Rows, row: int, decision_id: str, due: DecisionDue) -> DecidedWave:
        chosen, arm = wave.chosen[row], wave.arms[row]
        action = self._actions[chosen] if chosen < len(self._actions) else None
        treatment, why = None, list[str]()
        if action is not None:
            treatment = action.treatments[wave.treatments[row]]
            why = self._reasons.of(action, due.moment, wave.seen[row], wave.pushes[row])
        decision = Decision(
            decision_id=decision_id,
            customer=due.customer,
            moment=due.moment,
            decided_at_ms=due.at_ms,
            arm=ARMS[arm],
            chosen=self._names[chosen],
            treatment=None if treatment is None else treatment.id,
            published=action is not None and (arm != HOLDOUT or is_service(action)),
            action_probability=wave.probability[row],
            draw=wave.draws[row],
            actions=self._names,
            fates=[*wave.funnel.fates_of(row), SERVICE_FIRST if wave.owed[row] else CANDIDATE],
            propensities=wave.propensities[row],
            priorities=wave.priorities[row],
            probabilities=wave.probabilities[row],
            features=wave.customer[row],
            action_features=wave.action[row],
            why=why,
            shadow=None if wave.shadow[row] < 0 else self._names[wave.shadow[row]],
            model_version=self._scorer.version,
            catalogue_version=self._catalogue.version,
            feature_version=FEATURE_VERSION,
            trigger=due.trigger,
            slate_id=due.slate.first_id,
            position=due.slate.position,
        )
        published = None
        if action is not None and treatment is not None and decision.published:
            published = _next_best_action(decision, action, treatment, wave.weights[row], chosen)
            self._personalize(published, due, treatment, wave.may_personalize[row])
        seen = b"" if action is None else wave.stored(row)
        # Who is here now is not waited for: their visit will be over.
        waits = action is None and due.moment not in SESSION_MOMENTS
        until_ms = wave.quiet_until_ms[row] if waits else 0
        return DecidedWave(due, decision, published, action, treatment, seen, until_ms)

    def _personalize(
        self, published: NextBestAction, due: DecisionDue, treatment: Treatment, may: bool
    ) -> None:
        """Add what is this customer's own: their words, their products, their history."""
        published.message = personalised(treatment, published.family, due.state, may)
        if may:
            items = items_for(treatment, published.family, due.state)
            published.items = [product for product, _ in items]
            published.quantities = [quantity for _, quantity in items]
        if treatment.channel in BY_PEOPLE:
            published.history = customer_brief(
                due.state, due.at_ms, may, self._catalogue.timers.ticket_closes_ms
            )


class _Rows:
    """The columns of a wave's choices as Python values, row by row."""

    def __init__(self, choices: Choices, scorer: Scorer, actions: int) -> None:
        columns, every = choices.columns, np.arange(len(choices.chosen))
        self.funnel = choices.funnel
        self.chosen: list[int] = choices.chosen.tolist()
        self.arms: list[int] = choices.arms.tolist()
        self.quiet_until_ms: list[int] = choices.quiet_until_ms.astype(np.int64).tolist()
        self.may_personalize: list[bool] = choices.may_personalize.tolist()
        self.draws: list[float] = choices.draws.tolist()
        self.owed: list[bool] = choices.owed.tolist()
        self.probability: list[float] = choices.probabilities[every, choices.chosen].tolist()
        silence = np.zeros((len(every), 1))
        self.propensities = _rows("d", np.concatenate([choices.propensities, silence], axis=1))
        self.priorities = _rows("d", choices.priorities)
        self.probabilities = _rows("d", choices.probabilities)
        self.customer = _rows("f", columns.customer)
        self.action = _rows("f", columns.action.reshape(len(every), -1))
        # A placeholder where `no_action` was chosen; it is not read.
        acted = np.where(choices.chosen < actions, choices.chosen, 0)
        seen = np.concatenate([columns.customer, columns.action[every, acted]], axis=1)
        self.seen: list[list[float]] = seen.tolist()
        pushes = scorer.contributions(seen, acted)
        if choices.stated is not None:
            pushes[:, _PREFERENCE] += choices.stated[every, acted]
        self.pushes: list[list[float]] = pushes.tolist()
        trial = np.full(len(every), -1) if choices.shadow is None else choices.shadow
        self.shadow: list[int] = trial.tolist()
        self.weights: list[float] = choices.weights[every, acted].tolist()
        self.treatments: list[int] = choices.treatments[every, acted].tolist()
        self._stored, self._width = seen.astype("<f4").tobytes(), 4 * seen.shape[1]

    def stored(self, row: int) -> bytes:
        """Return what the model saw of the chosen action, as a lesson will carry it."""
        return self._stored[row * self._width : (row + 1) * self._width]


def _rows(typecode: str, matrix: Floats) -> list[array[float]]:
    """Return the rows of a matrix as arrays, which go into a record by copying their bytes."""
    packed = np.ascontiguousarray(matrix, np.dtype(typecode))
    raw, width = packed.tobytes(), packed.itemsize * packed.shape[1]
    return [array(typecode, raw[k * width : (k + 1) * width]) for k in range(len(packed))]


def _next_best_action(
    decision: Decision, action: Action, treatment: Treatment, weight: float, chosen: int
) -> NextBestAction:
    return NextBestAction(
        decision_id=decision.decision_id,
        customer=decision.customer,
        moment=decision.moment,
        action=action.id,
        issue=action.issue,
        family=action.family,
        treatment=treatment.id,
        channel=treatment.channel,
        message=treatment.message,
        decided_at_ms=decision.decided_at_ms,
        valid_until_ms=decision.decided_at_ms + action.valid_ms,
        propensity=decision.propensities[chosen],
        context_weight=weight,
        value=action.value,
        lever=action.lever,
        priority=decision.priorities[chosen],
        action_probability=decision.action_probability,
        arm=decision.arm,
        why=decision.why,
        model_version=decision.model_version,
        catalogue_version=decision.catalogue_version,
        feature_version=decision.feature_version,
        trigger=decision.trigger,
        slate_id=decision.slate_id,
        position=decision.position,
        no_action_priority=decision.priorities[-1],
    )
