"""Features: what a model and a rule may know of a customer, each declared once.

A feature is a column of a wave. Customer features have shape (n,), action features (n, a): most
look at the customer through the action's own family, which is what lets evidence about one family
serve another, and are computed once a family. Rules read the columns in their natural unit; models
read them transformed (`log1p` for counts, money and days) and rounded to float32, so that what a
lesson stores is exactly what was scored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from streams.core.features import columns as col
from streams.core.features import local_time
from streams.core.features.columns import AtMoment, Block, Column, Computed, Decayed, Number, Since
from streams.core.moments import MOMENTS
from streams.core.units import WEEKDAYS


@dataclass(frozen=True, slots=True)
class Feature:
    """One declared feature.

    `column` is one of customers (n,), or a function for those of families (n, f + 1) or actions.
    `purpose` names the consent without which the model sees 0 instead ("service" needs none).
    `words` are names of values that a rule may write instead of the number. A feature with
    `instead` stays with the model; a rule should read that one, and `check` says so.
    """

    name: str
    unit: str
    low: float
    high: float
    column: Column | Block
    kind: str = "number"
    purpose: str = "personalization"
    sensitive: bool = False
    words: Mapping[str, float] = field(default_factory=dict)
    instead: str | None = None


CUSTOMER_FEATURES: tuple[Feature, ...] = (
    Feature("days_since_purchase", "days", 0, col.NEVER_DAYS, Since("latest_ordered")),
    Feature("days_since_seen", "days", 0, col.NEVER_DAYS, Since("latest_seen")),
    Feature("days_since_signup", "days", 0, col.NEVER_DAYS, Since("signed_up_ms")),
    Feature("days_known", "days", 0, col.NEVER_DAYS, Since("first_seen_ms")),
    Feature(
        "orders_30d",
        "orders, half-life 30 days",
        0,
        1e4,
        Decayed("orders", "30d"),
    ),
    Feature("spend_30d", "minor units, half-life 30 days", 0, 1e12, Decayed("spend", "30d")),
    Feature("refunds_30d", "refunds, half-life 30 days", 0, 1e4, Decayed("refunds", "30d")),
    Feature("orders_lifetime", "orders", 0, 1e6, Number("total_orders")),
    Feature("views_1h", "views, half-life 1 hour", 0, 1e4, Decayed("views", "1h")),
    Feature("views_1d", "views, half-life 1 day", 0, 1e4, Decayed("views", "1d")),
    Feature("views_30d", "views, half-life 30 days", 0, 1e5, Decayed("views", "30d")),
    Feature(
        "searches_1d",
        "searches, half-life 1 day",
        0,
        1e4,
        Decayed("searches", "1d"),
    ),
    Feature(
        "cart_items",
        "products",
        0,
        20,
        Computed(col.cart_items),
    ),
    Feature("cart_minutes", "minutes", 0, 60 * 24 * 30, Computed(col.cart_minutes)),
    Feature("open_tickets", "tickets", 0, 8, Computed(col.open_tickets), purpose="service"),
    Feature(
        "tickets_30d",
        "tickets, half-life 30 days",
        0,
        1e3,
        Decayed("tickets", "30d"),
        purpose="service",
    ),
    Feature("subscribed", "flag", 0, 1, Number("subscribed"), kind="flag"),
    Feature("subscription_ended", "flag", 0, 1, Computed(col.subscription_ended), kind="flag"),
    Feature(
        "days_since_subscription_start", "days", 0, col.NEVER_DAYS, Since("subscription_start_ms")
    ),
    Feature("days_since_subscription_end", "days", 0, col.NEVER_DAYS, Since("subscription_end_ms")),
    Feature("last_satisfaction", "1..5, 0 unknown", 0, 5, Number("satisfaction")),
    Feature(
        "contacts_7d",
        "contacts",
        0,
        16,
        Computed(col.contacts_in_a_week),
        purpose="service",
    ),
    Feature("ignored_in_a_row", "actions", 0, 1e6, Number("ignored_in_a_row"), purpose="service"),
    Feature("accepts_30d", "accepts, half-life 30 days", 0, 1e4, Decayed("accepts", "30d")),
    Feature("clicks_30d", "clicks, half-life 30 days", 0, 1e4, Decayed("clicks", "30d")),
    Feature(
        "families_bought",
        "families",
        0,
        12,
        Computed(col.families_bought),
    ),
    Feature(
        "usual_due",
        "time since last order over usual gap",
        0,
        3,
        Computed(col.usual_due),
    ),
    # Beside the circle, as the model's input too: a decision record then holds all that its rules
    # read, and `explain` and `what-if` can ask them again.
    Feature(
        "local_hour",
        "hours, 0 to 23",
        0,
        23,
        Computed(local_time.local_hour),
        purpose="service",
    ),
    Feature(
        "local_weekday",
        "1 monday .. 7 sunday",
        1,
        7,
        Computed(local_time.local_weekday),
        purpose="service",
        words=WEEKDAYS,
    ),
    Feature(
        "weekend", "flag", 0, 1, Computed(local_time.is_weekend), kind="flag", purpose="service"
    ),
    Feature(
        "hour_sin",
        "ratio",
        -1,
        1,
        Computed(local_time.hour_sin),
        purpose="service",
        instead="local_hour",
    ),
    Feature(
        "hour_cos",
        "ratio",
        -1,
        1,
        Computed(local_time.hour_cos),
        purpose="service",
        instead="local_hour",
    ),
    *(
        Feature(f"at_{moment}", "flag", 0, 1, AtMoment(moment), kind="flag", purpose="service")
        for moment in MOMENTS
    ),
)

# What is known of a customer and a family; an action has that of its own family.
FAMILY_FEATURES: tuple[Feature, ...] = (
    Feature(
        "family_interest",
        "events, half-life 1 day",
        0,
        1e5,
        col.family_interest,
    ),
    Feature(
        "family_share",
        "ratio of interest, half-life 30 days",
        0,
        1,
        col.family_share,
    ),
    Feature(
        "family_orders_30d",
        "orders, half-life 30 days",
        0,
        1e4,
        col.family_orders,
    ),
    Feature(
        "family_days_since_purchase",
        "days",
        0,
        col.NEVER_DAYS,
        col.family_days,
    ),
    Feature(
        "family_due",
        "time since last order over usual gap",
        0,
        3,
        col.overdue,
    ),
    Feature(
        "family_preference",
        "-1 dislike .. 1 like",
        -1,
        1,
        lambda wave: wave.preferences,
    ),
)

# What is known of a customer and an action itself.
OWN_FEATURES: tuple[Feature, ...] = (
    Feature("action_shown_7d", "contacts", 0, 16, col.shown, purpose="service"),
)

ACTION_FEATURES = FAMILY_FEATURES + OWN_FEATURES

FEATURES: dict[str, Feature] = {f.name: f for f in (*CUSTOMER_FEATURES, *ACTION_FEATURES)}
FEATURE_NAMES = tuple(FEATURES)

# The models' input depends on names, order and bounds; another version is another space.
FEATURE_VERSION = blake2b(
    repr([(f.name, f.unit, f.low, f.high) for f in FEATURES.values()]).encode(), digest_size=6
).hexdigest()
