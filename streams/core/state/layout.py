"""Where each number of a customer's state lives: every slot is declared here, once.

A customer's numbers are one row of float64 (`HEAD`), each family they touched is a short row
(`FAMILY`) and each contact we made another (`CONTACT`). So the rows of a wave of customers,
joined, *are* a numpy matrix. Offsets are generated from the names below and never typed.
Times are epoch milliseconds and fit a float64 exactly (2**53 ms is the year 287396).
A slot may only be appended: stored rows that are shorter are read with zeros behind them.
"""

from __future__ import annotations

from collections.abc import Iterable

from streams.core.units import DAY_MS, HOUR_MS

# A session, a day's interest, a lasting taste.
HALF_LIVES_MS = (HOUR_MS, DAY_MS, 30 * DAY_MS)
HALF_LIFE_NAMES = ("1h", "1d", "30d")
# A landmark moves every 64 half-lives. Weights stay below 2**64, and moving is a multiplication
# by an exact power of two, so it costs no precision.
ERA_HALF_LIVES = 64

# Decayed sums, each kept at the three half-lives.
SUMS = (
    "views",
    "searches",
    "cart_adds",
    "cart_removes",
    "wishlists",
    "dwell_s",
    "orders",
    "spend",
    "refunds",
    "refund_spend",
    "tickets",
    "messages",
    "impressions",
    "clicks",
    "accepts",
    "rejects",
)
# The latest event time of each kind (0 = never). The largest wins, so order does not matter.
LATEST = (
    "seen",
    "browsed",
    "carted",
    "ordered",
    "refunded",
    "ticket",
    "told",
    "responded",
)
# Counts over the whole life; they only grow.
TOTALS = ("orders", "lines", "spend", "refunds", "tickets", "clicks", "accepts", "rejects")
# Values with their own rules, see the folds that write them.
SINGLES = (
    "first_seen_ms",
    "signed_up_ms",
    "last_decision_ms",
    "ignored_in_a_row",
    "satisfaction",
    "satisfaction_ms",
    "consent_personalization",
    "consent_personalization_ms",
    "consent_marketing",
    "consent_marketing_ms",
    "quiet_from_minute",
    "quiet_until_minute",
    "contact_setting_ms",
    "due_cart_left_ms",
    "due_gone_quiet_ms",
    "due_replenishment_ms",
    "erased_ms",
    "newest_event_ms",
    "automated_in_a_row",
    "due_quiet_over_ms",
    "waiting_moment",
    # Of all sums of money, as `streams.core.money.currency_number`; 0 before the first order.
    "spend_currency",
    "subscribed",
    "subscription_start_ms",
    "subscription_end_ms",
)


def _numbered(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(names)}


HEAD = _numbered(
    [
        *(f"era_{half_life}" for half_life in HALF_LIFE_NAMES),
        *(f"{name}_{half_life}" for name in SUMS for half_life in HALF_LIFE_NAMES),
        *(f"latest_{name}" for name in LATEST),
        *(f"total_{name}" for name in TOTALS),
        *SINGLES,
    ]
)
HEAD_WIDTH = len(HEAD)

# One family: interest (weighted clicks and orders) decays at each half-life; purchases are kept
# as distinct days so that the mean gap (their rhythm) needs no list.
FAMILY = _numbered(
    [
        *(f"interest_{half_life}" for half_life in HALF_LIFE_NAMES),
        "orders_30d",
        "spend_30d",
        "first_order_day",
        "last_order_day",
        "order_days",
        "last_order_ms",
        "last_seen_ms",
    ]
)
FAMILY_WIDTH = len(FAMILY)

# One contact: an action that was published to the customer.
CONTACT = _numbered(["at_ms", "action", "family", "issue", "channel", "decision"])
CONTACT_WIDTH = len(CONTACT)

# Bounds of everything that could grow. With all of them full of the longest texts that an event
# may carry, a stored state is below this. A usual one has less than a KiB.
MAX_STATE_BYTES = 18 * 1024
MAX_FAMILIES = 12
# A weekly shop; and all their ids together, since 40 of the longest would take a tenth of a state.
MAX_PRODUCTS = 40
MAX_PRODUCTS_BYTES = 640
MAX_CART_ITEMS = 20
MAX_CART_BYTES = 400
MAX_SUBSCRIPTIONS = 4
MAX_TICKETS = 8
MAX_PREFERENCES = 16
MAX_ANSWERS = 10
# These answers are dropped last: messages use them, and they are given once, long before the
# answers that would displace them.
LASTING_ANSWERS = frozenset({"first_name", "next_step"})
MAX_CONTACTS = 16
MAX_PENDING = 8
# Of these, so many are kept for service: offers must not use up the room an apology needs.
PENDING_FOR_SERVICE = 2
# Orders that a pending decision remembers, so that a return can undo them. Windows are days long;
# of a fifth order in one, the earliest is taken to stay.
MAX_CREDITED_ORDERS = 4
MAX_SUPPRESSION_COUNTS = 12
# Families and actions a customer was ever decided for, a bit each by hash: with 25 of them one
# new scope in twenty finds its bit taken.
ENROLLED_BITS = 512
MAX_RECENT_IDS = 14
# Ids that are stored for one kind of event alone, see `streams.core.state.counted_ids`: purchases;
# answers to an action; deliveries and impressions; ticket events; changes of the cart.
MAX_PURCHASE_IDS = 128
MAX_ANSWER_IDS = 48
MAX_SHOWN_IDS = 24
MAX_SUPPORT_IDS = 20
MAX_CART_IDS = 20
MAX_WATERMARKS = 24
# Bytes of UTF-8 that one text takes: names that a catalogue may also use (its ids have at most 64
# characters), and ids or answers that only have to differ.
MAX_NAME_BYTES = 64
MAX_TEXT_BYTES = 32
# A product's id in a habit or a cart, a UUID among them: channels are given it.
MAX_PRODUCT_BYTES = 40
# What a desk says a ticket is about, for the line that an employee reads.
MAX_TOPIC_BYTES = 24
