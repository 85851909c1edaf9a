"""Features: what a model and a rule may know of a customer, each declared once.

A feature is a column function of a wave. Customer features have shape (n,), action features
(n, a): they look at the customer through the action's own family, which is what lets evidence
about one family serve another. Rules read the columns in their natural unit; models read them
transformed (`log1p` for counts, money and days) and rounded to float32, so that what a lesson
stores is exactly what was scored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from streams.core.layout import DAY_MS, HOUR_MS, MINUTE_MS
from streams.core.moments import MOMENTS
from streams.core.wave import Wave

Floats = NDArray[np.float64]

# "Never" as a number of days: every rule such as `days_since_purchase > 14` holds for it.
NEVER_DAYS = 3650.0
WEEK_MS = 7 * DAY_MS


@dataclass(frozen=True, slots=True)
class Feature:
    """One declared feature.

    `purpose` names the consent without which the model sees 0 instead ("service" needs none).
    `phrase` is what a customer may be told when the feature spoke for an action, or None.
    """

    name: str
    unit: str
    low: float
    high: float
    column: Callable[[Wave], Floats]
    kind: str = "number"
    purpose: str = "personalization"
    sensitive: bool = False
    phrase: str | None = None


def _days_since(wave: Wave, then_ms: Floats) -> Floats:
    at_ms = wave.at_ms if then_ms.ndim == 1 else wave.at_ms[:, None]
    days = np.clip((at_ms - then_ms) / DAY_MS, 0.0, NEVER_DAYS)
    since: Floats = np.where(then_ms > 0, days, NEVER_DAYS)
    return since


def _since(slot: str) -> Callable[[Wave], Floats]:
    return lambda wave: _days_since(wave, wave.number(slot))


def _decayed(name: str, half_life: str) -> Callable[[Wave], Floats]:
    return lambda wave: wave.decayed(name, half_life)


def _number(slot: str) -> Callable[[Wave], Floats]:
    return lambda wave: wave.number(slot)


def _at_moment(moment: str) -> Callable[[Wave], Floats]:
    return lambda wave: wave.moment_flags.get(moment, np.zeros(len(wave)))


def _cart_minutes(wave: Wave) -> Floats:
    minutes = np.clip((wave.at_ms - wave.number("latest_carted")) / MINUTE_MS, 0.0, 60 * 24 * 30)
    return np.where(wave.cart_items > 0, minutes, 0.0)


def _overdue(wave: Wave) -> Floats:
    """Time since the last order of a family over its usual gap, (n, f + 1); 0 without a rhythm."""
    days = wave.family("order_days")
    span = wave.family("last_order_day") - wave.family("first_order_day")
    since = np.maximum(wave.at_ms[:, None] / DAY_MS - wave.family("last_order_day"), 0.0)
    has_rhythm = (days >= 3) & (span > 0)
    gap = np.where(has_rhythm, span / np.maximum(days - 1, 1), 1.0)
    overdue: Floats = np.where(has_rhythm, np.minimum(since / gap, 3.0), 0.0)
    return overdue


def _family_share(wave: Wave) -> Floats:
    interest = wave.family_decayed("interest_30d", "30d")
    share: Floats = interest / np.maximum(interest.sum(axis=1, keepdims=True), 1e-9)
    return share


def _shown(wave: Wave) -> Floats:
    recent = wave.contacts_since(WEEK_MS)
    return wave.count_by_action(recent, "action", wave.axis.action_numbers)


def _hour_angle(wave: Wave) -> Floats:
    return np.mod(wave.at_ms, DAY_MS) / HOUR_MS * (2 * np.pi / 24)


def _is_weekend(wave: Wave) -> Floats:
    # 1970-01-01 was a Thursday; Saturday and Sunday are days 2 and 3 after it.
    return np.isin(np.mod(wave.at_ms // DAY_MS, 7), (2.0, 3.0)).astype(np.float64)


CUSTOMER_FEATURES: tuple[Feature, ...] = (
    Feature("days_since_purchase", "days", 0, NEVER_DAYS, _since("latest_ordered")),
    Feature("days_since_seen", "days", 0, NEVER_DAYS, _since("latest_seen")),
    Feature("days_since_signup", "days", 0, NEVER_DAYS, _since("signed_up_ms")),
    Feature("days_known", "days", 0, NEVER_DAYS, _since("first_seen_ms")),
    Feature(
        "orders_30d",
        "orders, half-life 30 days",
        0,
        1e4,
        _decayed("orders", "30d"),
        phrase="you shop with us often",
    ),
    Feature("spend_30d", "minor units, half-life 30 days", 0, 1e12, _decayed("spend", "30d")),
    Feature("refunds_30d", "refunds, half-life 30 days", 0, 1e4, _decayed("refunds", "30d")),
    Feature("orders_lifetime", "orders", 0, 1e6, _number("total_orders")),
    Feature("views_1h", "views, half-life 1 hour", 0, 1e4, _decayed("views", "1h")),
    Feature("views_1d", "views, half-life 1 day", 0, 1e4, _decayed("views", "1d")),
    Feature("views_30d", "views, half-life 30 days", 0, 1e5, _decayed("views", "30d")),
    Feature(
        "searches_1d",
        "searches, half-life 1 day",
        0,
        1e4,
        _decayed("searches", "1d"),
        phrase="you searched for something lately",
    ),
    Feature(
        "cart_items",
        "products",
        0,
        20,
        lambda wave: wave.cart_items,
        phrase="something is waiting in your cart",
    ),
    Feature("cart_minutes", "minutes", 0, 60 * 24 * 30, _cart_minutes),
    Feature("open_tickets", "tickets", 0, 8, lambda wave: wave.open_tickets, purpose="service"),
    Feature(
        "tickets_30d",
        "tickets, half-life 30 days",
        0,
        1e3,
        _decayed("tickets", "30d"),
        purpose="service",
    ),
    Feature("last_satisfaction", "1..5, 0 unknown", 0, 5, _number("satisfaction")),
    Feature(
        "contacts_7d",
        "contacts",
        0,
        16,
        lambda wave: wave.count_by_customer(wave.contacts_since(WEEK_MS)),
        purpose="service",
    ),
    Feature("ignored_in_a_row", "actions", 0, 1e6, _number("ignored_in_a_row"), purpose="service"),
    Feature("accepts_30d", "accepts, half-life 30 days", 0, 1e4, _decayed("accepts", "30d")),
    Feature("clicks_30d", "clicks, half-life 30 days", 0, 1e4, _decayed("clicks", "30d")),
    Feature(
        "families_bought",
        "families",
        0,
        12,
        lambda wave: (wave.family("order_days") > 0).sum(axis=1).astype(np.float64),
    ),
    Feature(
        "usual_due",
        "time since last order over usual gap",
        0,
        3,
        lambda wave: _overdue(wave).max(axis=1),
        phrase="about this time you usually order again",
    ),
    Feature("hour_sin", "ratio", -1, 1, lambda wave: np.sin(_hour_angle(wave)), purpose="service"),
    Feature("hour_cos", "ratio", -1, 1, lambda wave: np.cos(_hour_angle(wave)), purpose="service"),
    Feature("weekend", "flag", 0, 1, _is_weekend, kind="flag", purpose="service"),
    *(
        Feature(f"at_{moment}", "flag", 0, 1, _at_moment(moment), kind="flag", purpose="service")
        for moment in MOMENTS
    ),
)

ACTION_FEATURES: tuple[Feature, ...] = (
    Feature(
        "family_interest",
        "events, half-life 1 day",
        0,
        1e5,
        lambda wave: wave.of_action(wave.family_decayed("interest_1d", "1d")),
        phrase="you looked at {family} lately",
    ),
    Feature(
        "family_share",
        "ratio of interest, half-life 30 days",
        0,
        1,
        lambda wave: wave.of_action(_family_share(wave)),
        phrase="{family} is among what you like most here",
    ),
    Feature(
        "family_orders_30d",
        "orders, half-life 30 days",
        0,
        1e4,
        lambda wave: wave.of_action(wave.family_decayed("orders_30d", "30d")),
        phrase="you bought {family} before",
    ),
    Feature(
        "family_days_since_purchase",
        "days",
        0,
        NEVER_DAYS,
        lambda wave: wave.of_action(_days_since(wave, wave.family("last_order_ms"))),
    ),
    Feature(
        "family_due",
        "time since last order over usual gap",
        0,
        3,
        lambda wave: wave.of_action(_overdue(wave)),
        phrase="about this time you usually buy {family} again",
    ),
    Feature(
        "family_preference",
        "-1 dislike .. 1 like",
        -1,
        1,
        lambda wave: wave.of_action(wave.preferences),
        phrase="you told us that you like {family}",
    ),
    Feature("action_shown_7d", "contacts", 0, 16, _shown, purpose="service"),
)

FEATURES = {feature.name: feature for feature in CUSTOMER_FEATURES + ACTION_FEATURES}
FEATURE_NAMES = tuple(FEATURES)
N_CUSTOMER = len(CUSTOMER_FEATURES)
N_ACTION = len(ACTION_FEATURES)

# The models' input depends on names, order and bounds; another version is another space.
FEATURE_VERSION = blake2b(
    repr([(f.name, f.unit, f.low, f.high) for f in FEATURES.values()]).encode(), digest_size=6
).hexdigest()


@dataclass(frozen=True, slots=True)
class Columns:
    """The features of a wave: natural units for rules, model input for scoring and lessons.

    `customer` is (n, c) and `action` (n, a, k), float64 holding float32 values.
    """

    natural: dict[str, Floats]
    customer: Floats
    action: Floats


def extract(wave: Wave, may_personalize: NDArray[np.bool_]) -> Columns:
    """Compute every feature of a wave; shapes as in `Columns`.

    For a customer who withdrew consent to personalization (`may_personalize`, (n,)) the features
    that need it are 0 for rules and models alike.
    """
    natural = {f.name: _allowed(f, wave, may_personalize) for f in FEATURES.values()}
    customer = np.stack([natural[f.name] for f in CUSTOMER_FEATURES], axis=1)
    action = np.stack([natural[f.name] for f in ACTION_FEATURES], axis=2)
    return Columns(natural, _model_input(customer), _model_input(action))


def _allowed(feature: Feature, wave: Wave, may_personalize: NDArray[np.bool_]) -> Floats:
    column = np.clip(feature.column(wave), feature.low, feature.high)
    if feature.purpose == "service" or may_personalize.all():
        return column
    allowed = may_personalize if column.ndim == 1 else may_personalize[:, None]
    return np.where(allowed, column, 0.0)


def _model_input(columns: Floats) -> Floats:
    """Squash long tails: sign(x) * log(1 + |x|), then round to what a lesson stores."""
    squashed = np.copysign(np.log1p(np.abs(columns)), columns)
    return squashed.astype(np.float32).astype(np.float64)


def natural_value(name: str, seen: float) -> float:
    """Return a feature's natural value from the model input it became.

    >>> round(natural_value("orders_lifetime", 1.3862944), 6)
    3.0
    """
    return float(np.copysign(np.expm1(abs(seen)), seen)) if name in FEATURES else seen
