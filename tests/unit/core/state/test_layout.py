"""The layout of stored numbers may only grow at its end, and a full state stays small."""

from __future__ import annotations

from streams.core.state.codec import _expanded, decode_customer, encode_customer
from streams.core.state.customer import CustomerState
from streams.core.state.layout import CONTACT, FAMILY, HEAD, MAX_STATE_BYTES
from tests.support.full_state import full

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


def test_a_state_with_everything_at_its_bound_is_below_the_limit() -> None:
    data = encode_customer(full())
    assert len(data) < MAX_STATE_BYTES
    assert decode_customer(data) == full()


def test_of_the_largest_state_nearly_nothing_is_compressed() -> None:
    """Or its texts repeat, and real ones could take more."""
    data = encode_customer(full())
    assert len(data) > 0.9 * len(_expanded(data))


def test_a_fresh_state_is_tiny() -> None:
    assert len(encode_customer(CustomerState())) < 64
