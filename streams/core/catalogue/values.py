"""The business catalogue as values: what may be offered to which customers, when, and how often.

`streams.core.catalogue.loading` builds these from the YAML that an owner edits. Nothing here can be
half valid: a `Catalogue` that exists passed every check. Durations are milliseconds, `value` is
in major units of the catalogue's currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from models.protocol import LEARNER_NAMES, ActionKey, named_model
from streams.core.catalogue.contact_rules import ContactRules, Scope
from streams.core.catalogue.phrases import DEFAULT_PHRASES
from streams.core.rules import Condition
from streams.core.units import DAY_MS, MINUTE_MS

Tier = Literal["eligibility", "applicability", "suitability"]
Purpose = Literal["marketing", "service"]
ConsentRule = Literal["opt_in", "opt_out"]

# In the order in which they are asked: may we, does it make sense now, is it good for them.
TIERS: tuple[Tier, ...] = ("eligibility", "applicability", "suitability")
ACTION_PURPOSES: tuple[Purpose, ...] = ("marketing", "service")

# What a message, a why or a templated id may leave open as {slot}; filled when it is loaded.
SLOTS: tuple[str, ...] = ("family",)
# Slots of a message that are filled for each customer, and the products that an action may name.
# `streams.core.decision.personalisation` fills exactly these.
PERSONAL_SLOTS = ("name", "next_step", "product", "plan")
ITEMS = ("usual", "last_order", "cart")

NO_ACTION = "no_action"
# What a channel that lays out a handful of products is given unless the catalogue asks for more.
DEFAULT_ROWS = 5


def fill(text: str, family: str | None) -> str:
    """Return `text` with its `{family}` slots filled by a family's id or readable name.

    >>> fill("New in {family}", "tea_dining")
    'New in tea dining'
    """
    return text.replace("{family}", (family or "").replace("_", " "))


@dataclass(frozen=True, slots=True)
class Treatment:
    """One way to carry out an action: a channel and what it says, its `{family}` already filled.

    Slots such as `{name|there}` stay open until the customer is known. `items` names the products
    that go with it ("usual", "last_order", "cart"), at most `rows`; None for none.
    """

    id: str
    channel: str
    message: str
    items: str | None = None
    rows: int = DEFAULT_ROWS


@dataclass(frozen=True, slots=True)
class Reward:
    """What counts as success within `window_ms` after the decision.

    Any of `outcomes` on the decision, or, with `family_purchase`, an order that has a line of
    the action's family (any order at all for an action without a family), or, with
    `subscription`, likewise a subscription that starts or is renewed.
    """

    outcomes: frozenset[str]
    family_purchase: bool
    window_ms: int
    subscription: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition that must hold for an action to stay a candidate, and its line in the file."""

    id: str
    tier: Tier
    text: str
    line: int
    test: Condition


@dataclass(frozen=True, slots=True)
class Action:
    """Something that may be proposed to a customer.

    `priority = propensity * context weight * value * lever`. `rules` are in the order of `TIERS`.
    `context` has the weights that were given (use `weight`). `family_name` is the family in words a
    customer may read. With an empty `why` the moment's phrase is used. While new, a `ramped` action
    reaches few; one on trial (`shadow`) is decided and never published.
    """

    id: str
    issue: str
    family: str | None
    purpose: Purpose
    moments: frozenset[str]
    value: float
    lever: float
    context: Mapping[str, float]
    rules: tuple[Rule, ...]
    reward: Reward
    valid_ms: int
    treatments: tuple[Treatment, ...]
    why: str
    family_name: str | None = None
    ramped: bool = True
    shadow: bool = False

    @property
    def key(self) -> ActionKey:
        """Return the path along which the action's evidence backs off."""
        return ActionKey(self.id, self.family, self.issue)

    def weight(self, moment: str) -> float:
        """Return the context weight of a moment, 1 where the catalogue gives none."""
        return self.context.get(moment, 1.0)


@dataclass(frozen=True, slots=True)
class Timers:
    """After how long without events a moment comes, or a ticket counts as closed."""

    cart_left_ms: int = 60 * MINUTE_MS
    gone_quiet_ms: int = 45 * DAY_MS
    ticket_closes_ms: int = 30 * DAY_MS


# The cautious default for a catalogue that does not choose. Service needs no consent.
DEFAULT_CONSENT: Mapping[str, ConsentRule] = MappingProxyType(
    {"personalization": "opt_in", "marketing": "opt_in"}
)


@dataclass(frozen=True, slots=True)
class ArmRatios:
    """The shares of customers in each experiment arm; the rest is treated."""

    holdout: float
    random: float = 0.0
    model_only: float = 0.0


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `per_day` actions (UTC days) of a channel, issue, family or action, spread evenly."""

    id: str
    scope: Scope
    name: str
    per_day: int


@dataclass(frozen=True, slots=True)
class Exploration:
    """How much is tried out.

    `gamma` is the exploration factor of inverse-gap weighting (larger explores less), `growth` the
    factor by which it grows with the root of the lessons learned, `floor_ratio` the least
    probability of each candidate, `discovery_ratio` the least share of actions outside a customer's
    usual families.
    """

    gamma: float
    floor_ratio: float = 0.0
    discovery_ratio: float = 0.0
    growth: float = 0.0


@dataclass(frozen=True, slots=True)
class Ramp:
    """How the reach of a new action grows: from `start_ratio` of all customers to everybody.

    Everybody may get it after `full_after_lessons` of its own. Nothing is new to a model that
    has not settled itself.
    """

    start_ratio: float
    full_after_lessons: int

    @property
    def settled_lessons(self) -> int:
        """How many lessons a model has when it has settled: what comes later is new to it."""
        return 5 * self.full_after_lessons


# What survey answers tell: question -> answer -> family -> liking, -1 to 1.
Answers = Mapping[str, Mapping[str, Mapping[str, float]]]


@dataclass(frozen=True, slots=True)
class ContactCost:
    """Contact cost, in units of value: see `streams.core.arbitration.contact_cost`."""

    priority: float = 0.0
    per_contact: float = 0.0
    per_ignored: float = 0.0
    opt_out_cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything a business decides about its actions, in one version.

    `version` is a content hash (16 hex digits) of the canonical `text`, so the same text has the
    same version everywhere. `consent` names every purpose of `schemas.symbols.PURPOSES`: "opt_in"
    needs consent first, "opt_out" stops at a withdrawal. `slates` has the moments whose placement
    shows several actions, with how many. `learner` learns the model; `challenger`, another one,
    learns the same lessons and decides without publishing. `time_zone` is assumed for customers
    whose zone is unknown. `phrases` are the words for moments and features in which a customer
    reads why.
    """

    name: str
    version: str
    currency: str
    model: str
    arms: ArmRatios
    exploration: Exploration
    bothering: ContactCost
    cool_down_ms: int
    timers: Timers
    slates: Mapping[str, int]
    budgets: tuple[Budget, ...]
    contact: ContactRules
    consent: Mapping[str, ConsentRule]
    families: tuple[str, ...]
    actions: tuple[Action, ...]
    text: str
    ramp: Ramp | None = None
    answers: Answers = field(default_factory=dict)
    learner: str = LEARNER_NAMES[0]
    challenger: str | None = None
    time_zone: str = "UTC"
    phrases: Mapping[str, str] = field(default_factory=lambda: DEFAULT_PHRASES)

    @property
    def scored_by(self) -> str:
        """The name of the model whose propensities decide."""
        return named_model(self.model, self.learner)

    @property
    def challenged_by(self) -> str | None:
        """The name of the model that decides beside it, None without one."""
        return None if self.challenger is None else named_model(self.model, self.challenger)
