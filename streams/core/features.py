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

from streams.core import columns as col
from streams.core.moments import MOMENTS
from streams.core.wave import Wave

Floats = NDArray[np.float64]


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


CUSTOMER_FEATURES: tuple[Feature, ...] = (
    Feature("days_since_purchase", "days", 0, col.NEVER_DAYS, col.since("latest_ordered")),
    Feature("days_since_seen", "days", 0, col.NEVER_DAYS, col.since("latest_seen")),
    Feature("days_since_signup", "days", 0, col.NEVER_DAYS, col.since("signed_up_ms")),
    Feature("days_known", "days", 0, col.NEVER_DAYS, col.since("first_seen_ms")),
    Feature(
        "orders_30d",
        "orders, half-life 30 days",
        0,
        1e4,
        col.decayed("orders", "30d"),
        phrase="you shop with us often",
    ),
    Feature("spend_30d", "minor units, half-life 30 days", 0, 1e12, col.decayed("spend", "30d")),
    Feature("refunds_30d", "refunds, half-life 30 days", 0, 1e4, col.decayed("refunds", "30d")),
    Feature("orders_lifetime", "orders", 0, 1e6, col.number("total_orders")),
    Feature("views_1h", "views, half-life 1 hour", 0, 1e4, col.decayed("views", "1h")),
    Feature("views_1d", "views, half-life 1 day", 0, 1e4, col.decayed("views", "1d")),
    Feature("views_30d", "views, half-life 30 days", 0, 1e5, col.decayed("views", "30d")),
    Feature(
        "searches_1d",
        "searches, half-life 1 day",
        0,
        1e4,
        col.decayed("searches", "1d"),
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
    Feature("cart_minutes", "minutes", 0, 60 * 24 * 30, col.cart_minutes),
    Feature("open_tickets", "tickets", 0, 8, lambda wave: wave.open_tickets, purpose="service"),
    Feature(
        "tickets_30d",
        "tickets, half-life 30 days",
        0,
        1e3,
        col.decayed("tickets", "30d"),
        purpose="service",
    ),
    Feature("last_satisfaction", "1..5, 0 unknown", 0, 5, col.number("satisfaction")),
    Feature(
        "contacts_7d",
        "contacts",
        0,
        16,
        lambda wave: wave.count_by_customer(wave.contacts_since(col.WEEK_MS)),
        purpose="service",
    ),
    Feature(
        "ignored_in_a_row", "actions", 0, 1e6, col.number("ignored_in_a_row"), purpose="service"
    ),
    Feature("accepts_30d", "accepts, half-life 30 days", 0, 1e4, col.decayed("accepts", "30d")),
    Feature("clicks_30d", "clicks, half-life 30 days", 0, 1e4, col.decayed("clicks", "30d")),
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
        lambda wave: col.overdue(wave).max(axis=1),
        phrase="about this time you usually order again",
    ),
    Feature(
        "hour_sin", "ratio", -1, 1, lambda wave: np.sin(col.hour_angle(wave)), purpose="service"
    ),
    Feature(
        "hour_cos", "ratio", -1, 1, lambda wave: np.cos(col.hour_angle(wave)), purpose="service"
    ),
    Feature("weekend", "flag", 0, 1, col.is_weekend, kind="flag", purpose="service"),
    *(
        Feature(f"at_{moment}", "flag", 0, 1, col.at_moment(moment), kind="flag", purpose="service")
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
        lambda wave: wave.of_action(col.family_share(wave)),
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
        col.NEVER_DAYS,
        lambda wave: wave.of_action(col.days_since(wave, wave.family("last_order_ms"))),
    ),
    Feature(
        "family_due",
        "time since last order over usual gap",
        0,
        3,
        lambda wave: wave.of_action(col.overdue(wave)),
        phrase="about this time you usually buy {family} again",
    ),
    Feature(
        "family_preference",
        "-1 dislike .. 1 like",
        -1,
        1,
        lambda wave: wave.of_action(wave.preferences),
        phrase="what you told us speaks for {family}",
    ),
    Feature("action_shown_7d", "contacts", 0, 16, col.shown, purpose="service"),
)

FEATURES = {feature.name: feature for feature in CUSTOMER_FEATURES + ACTION_FEATURES}
FEATURE_NAMES = tuple(FEATURES)

# The models' input depends on names, order and bounds; another version is another space.
FEATURE_VERSION = blake2b(
    repr([(f.name, f.unit, f.low, f.high) for f in FEATURES.values()]).encode(), digest_size=6
).hexdigest()
