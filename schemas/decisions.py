"""What a decision publishes: the next best action, and the whole funnel behind it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class NextBestAction(msgspec.Struct, kw_only=True, gc=False):
    """What a channel should do now for one customer.

    `priority = propensity * context_weight * value * lever`. `action_probability` is the exact
    probability with which this action was chosen among the candidates. `why` may be shown to the
    customer. `trigger` is the event (or timer) that made the decision due. `items` are products,
    `quantities` how many of each; `history` is for employees. Of a slate, each `position` is an
    action of its own, with its own id. `no_action_priority` is the priority of doing nothing.
    """

    decision_id: str
    customer: str
    moment: str
    action: str
    issue: str
    family: str | None
    treatment: str
    channel: str
    message: str
    decided_at_ms: int
    valid_until_ms: int
    propensity: float
    context_weight: float
    value: float
    lever: float
    priority: float
    action_probability: float
    arm: str
    why: list[str]
    model_version: str
    catalogue_version: str
    feature_version: str
    trigger: Trigger
    items: list[str] = []
    history: list[str] = []
    slate_id: str | None = None
    position: int = 1
    no_action_priority: float = 0.0
    quantities: list[float] = []


class Trigger(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """What made a decision due: an event (with its origin) or a timer (`topic` "timeline")."""

    id: str
    topic: str
    partition: int
    offset: int
    seen_at_ms: int


class Challenge(msgspec.Struct, frozen=True, gc=False):
    """What a challenger (`model`, in a version) would have done with the same draw.

    `propensities` and `probabilities` are its own, parallel to the decision's `actions`.
    """

    model: str
    model_version: str
    chosen: str
    propensities: Sequence[float]
    probabilities: Sequence[float]


class Decision(msgspec.Struct, kw_only=True, gc=False):
    """The whole funnel of one decision, for audit, replay and evaluation.

    `actions`, `fates`, `propensities`, `priorities` and `probabilities` are parallel, sorted by
    action id, `no_action` last. A fate is "candidate" or the "tier:rule" that dropped it.
    `features` holds the customer's columns; `action_features` holds, row after row, the columns
    that depend on the action (one row per entry of `actions` but the last). `published` is false
    for `no_action` and for the control group, which gets service only. Each `position` of a slate
    is a decision of its own, among the remaining candidates. `shadow` is the choice if actions on
    trial took part, `challenger` the choice of another model.
    """

    decision_id: str
    customer: str
    moment: str
    decided_at_ms: int
    arm: str
    chosen: str
    treatment: str | None
    published: bool
    action_probability: float
    draw: float
    actions: list[str]
    fates: list[str]
    propensities: Sequence[float]
    priorities: Sequence[float]
    probabilities: Sequence[float]
    features: Sequence[float]
    action_features: Sequence[float]
    why: list[str]
    model_version: str
    catalogue_version: str
    feature_version: str
    trigger: Trigger
    slate_id: str | None = None
    position: int = 1
    shadow: str | None = None
    challenger: Challenge | None = None
