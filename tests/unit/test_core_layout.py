"""The layout of stored numbers may only grow at its end, and a full state stays small."""

from __future__ import annotations

from schemas.symbols import CHANNELS
from streams.core.chance import SHORT_HASH_BYTES
from streams.core.codec import _expanded, decode_customer, encode_customer
from streams.core.contact import record_contact
from streams.core.enrolment import NO_MORE
from streams.core.features import FEATURE_NAMES
from streams.core.layout import (
    CONTACT,
    FAMILY,
    HEAD,
    MAX_ANSWERS,
    MAX_CART_ITEMS,
    MAX_CONTACTS,
    MAX_FAMILIES,
    MAX_NAME_BYTES,
    MAX_PENDING,
    MAX_PREFERENCES,
    MAX_PRODUCTS,
    MAX_RECENT_IDS,
    MAX_SILENCES,
    MAX_TEXT_BYTES,
    MAX_TICKETS,
    MAX_WATERMARKS,
)
from streams.core.state import (
    CartItem,
    CustomerState,
    Habit,
    Pending,
    Silence,
    Ticket,
    Told,
    new_family,
)

# The names of version 1: one that is put in between, renamed or moved would silently give stored
# numbers another meaning.
HEAD_OF_VERSION_1 = (
    "era_1h era_1d era_30d views_1h views_1d views_30d searches_1h searches_1d searches_30d "
    "cart_adds_1h cart_adds_1d cart_adds_30d cart_removes_1h cart_removes_1d cart_removes_30d "
    "wishlists_1h wishlists_1d wishlists_30d dwell_s_1h dwell_s_1d dwell_s_30d orders_1h "
    "orders_1d orders_30d spend_1h spend_1d spend_30d refunds_1h refunds_1d refunds_30d "
    "refund_spend_1h refund_spend_1d refund_spend_30d tickets_1h tickets_1d tickets_30d "
    "messages_1h messages_1d messages_30d impressions_1h impressions_1d impressions_30d "
    "clicks_1h clicks_1d clicks_30d accepts_1h accepts_1d accepts_30d rejects_1h rejects_1d "
    "rejects_30d latest_seen latest_browsed latest_carted latest_ordered latest_refunded "
    "latest_ticket latest_told latest_responded total_orders total_lines total_spend "
    "total_refunds total_tickets total_clicks total_accepts total_rejects first_seen_ms "
    "signed_up_ms last_decision_ms ignored_in_a_row satisfaction satisfaction_ms "
    "consent_personalization consent_personalization_ms consent_marketing consent_marketing_ms "
    "quiet_from_minute quiet_until_minute contact_setting_ms due_cart_left_ms due_gone_quiet_ms "
    "due_replenishment_ms erased_ms newest_event_ms"
)
FAMILY_OF_VERSION_1 = (
    "interest_1h interest_1d interest_30d orders_30d spend_30d first_order_day last_order_day "
    "order_days last_order_ms last_seen_ms"
)
CONTACT_OF_VERSION_1 = "at_ms action family issue channel"


def test_slots_of_stored_states_keep_their_place() -> None:
    for today, then in (
        (HEAD, HEAD_OF_VERSION_1),
        (FAMILY, FAMILY_OF_VERSION_1),
        (CONTACT, CONTACT_OF_VERSION_1),
    ):
        assert f"{' '.join(today)} ".startswith(f"{then} ")


def full(name: str = "n" * MAX_NAME_BYTES, text: str = "t" * MAX_TEXT_BYTES) -> CustomerState:
    """Return a state in which everything that has a bound has reached it."""
    state = CustomerState()
    state.applied_offset = at_ms = 2**53
    for slot in range(len(state.head)):
        state.head[slot] = float(at_ms - slot)

    def named(most: int, longest: str) -> list[str]:
        return [f"{number:02}{longest[2:]}" for number in range(most)]

    state.families = {key: new_family() for key in named(MAX_FAMILIES, name)}
    for number in range(MAX_CONTACTS):
        record_contact(state, at_ms - number, name, name, name, "sms")
    state.recent_ids = b"\xff" * (SHORT_HASH_BYTES * MAX_RECENT_IDS)
    state.watermarks = dict.fromkeys(named(MAX_WATERMARKS, "a-prefix.clickstream/1000"), at_ms)
    state.products = {key: Habit(20_000, 20_000, name) for key in named(MAX_PRODUCTS, text)}
    state.cart = {key: CartItem(name, 1.0, at_ms) for key in named(MAX_CART_ITEMS, text)}
    ticket = Ticket(at_ms, at_ms, True, 3, name)
    state.tickets = dict.fromkeys(named(MAX_TICKETS, text), ticket)
    state.preferences = dict.fromkeys(named(MAX_PREFERENCES, name), Told(at_ms, -0.5, text))
    state.answers = dict.fromkeys(named(MAX_ANSWERS, name), Told(at_ms, 0.0, text))
    # A channel is closed or open again, and an opened one is stored with a minus.
    state.resubscribed = dict.fromkeys(CHANNELS, at_ms)
    state.time_zone = name
    state.silences = {2**53 - number: Silence(99, at_ms) for number in range(MAX_SILENCES)}
    state.enrolled = NO_MORE
    features = bytes(4 * len(FEATURE_NAMES))
    outcomes = ["accept", "click", "delivered", "impression"]
    state.pending = [
        Pending(
            decision_id=f"{number:024x}",
            model=name,
            action=name,
            family=name,
            issue=name,
            channel="call_center",
            decided_at_ms=at_ms,
            window_end_ms=at_ms,
            settle_at_ms=at_ms,
            outcomes=outcomes,
            family_purchase=True,
            action_probability=0.1,
            feature_version="0" * 12,
            features=features,
            rewarded=True,
            converted=True,
            spent_minor=at_ms,
            first=7,
        )
        for number in range(MAX_PENDING)
    ]
    return state


def test_a_state_with_everything_at_its_bound_is_below_16_kib() -> None:
    data = encode_customer(full())
    # Texts that do not repeat do not compress: LZ4 may then even add a little.
    plain = len(_expanded(data))
    assert plain + plain // 255 + 16 < 16 * 1024
    assert decode_customer(data) == full()


def test_a_fresh_state_is_tiny() -> None:
    assert len(encode_customer(CustomerState())) < 64
