"""Merging states that made-up histories built: symmetric, bounded, and nothing for an empty one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from streams.core.folds.merge import merge
from streams.core.folds.updates import cart_waits
from streams.core.state.codec import decode_customer, encode_customer
from streams.core.state.counted_ids import ID_BYTES, MOST_IDS, TIME_BYTES
from streams.core.state.customer import CustomerState
from streams.core.state.event_ids import apart
from streams.core.state.layout import (
    CONTACT_WIDTH,
    FAMILY,
    HEAD,
    MAX_ANSWERS,
    MAX_CART_BYTES,
    MAX_CART_ITEMS,
    MAX_CONTACTS,
    MAX_CREDITED_ORDERS,
    MAX_FAMILIES,
    MAX_PENDING,
    MAX_PREFERENCES,
    MAX_PRODUCTS,
    MAX_PRODUCTS_BYTES,
    MAX_RECENT_IDS,
    MAX_STATE_BYTES,
    MAX_SUBSCRIPTIONS,
    MAX_SUPPRESSION_COUNTS,
    MAX_TICKETS,
    MAX_WATERMARKS,
)
from tests.support.made_up import Step, play, steps
from tests.support.shops import SHOP_TOMORROW, LeaningVersions, load

CATALOGUES = [load(), load(SHOP_TOMORROW)]
VERSIONS = LeaningVersions(*CATALOGUES)
# The ids and watermarks that are kept follow their distance from the end of their lists, which a
# merge changes. Of carts and habits only the newest step or order counts after a later order.
NOT_ASSOCIATIVE = frozenset({"recent_ids", "watermarks", "products", "cart"})


def states(made: list[Step]) -> list[CustomerState]:
    stored = play(made, VERSIONS, CATALOGUES).log.store.states
    return [stored.get(f"customer-{number}", CustomerState()) for number in range(3)]


def assert_equal_up_to_rounding(one: CustomerState, other: CustomerState) -> None:
    # A sum keeps 21 bits, so the order of two additions shows in the last of them.
    left = HEAD["due_cart_left_ms"]
    heads = [list(head[:left]) + list(head[left + 1 :]) for head in (one.head, other.head)]
    assert heads[0] == pytest.approx(heads[1], rel=1e-5)
    assert one.families.keys() == other.families.keys()
    for name, row in one.families.items():
        # Days in between on which two of them bought are not known, so they count twice.
        days = FAMILY["order_days"]
        rows = [list(r[:days]) + list(r[days + 1 :]) for r in (row, other.families[name])]
        assert rows[0] == pytest.approx(rows[1], rel=1e-5)
    for name in set(CustomerState.__slots__) - NOT_ASSOCIATIVE - {"head", "families"}:
        assert getattr(one, name) == getattr(other, name), name
    assert one.products.keys() == other.products.keys()


def assert_bounded(state: CustomerState) -> None:
    assert len(encode_customer(state)) < MAX_STATE_BYTES
    for entries, most in (
        (state.families, MAX_FAMILIES),
        (state.products, MAX_PRODUCTS),
        (state.cart, MAX_CART_ITEMS),
        (state.subscriptions, MAX_SUBSCRIPTIONS),
        (state.tickets, MAX_TICKETS),
        (state.preferences, MAX_PREFERENCES),
        (state.answers, MAX_ANSWERS),
        (state.pending, MAX_PENDING),
        (state.suppression_counts, MAX_SUPPRESSION_COUNTS),
        (state.watermarks, MAX_WATERMARKS),
        (apart(state.recent_ids), MAX_RECENT_IDS),
        (state.contacts, MAX_CONTACTS * CONTACT_WIDTH),
        ("".join(state.products).encode(), MAX_PRODUCTS_BYTES),
        ("".join(state.cart).encode(), MAX_CART_BYTES),
    ):
        assert len(entries) <= most
    for kind, ids in state.known_ids.items():
        assert len(ids) <= TIME_BYTES + MOST_IDS[kind] * ID_BYTES
    assert all(len(pending.orders) <= MAX_CREDITED_ORDERS for pending in state.pending)


@settings(max_examples=25)
@given(steps(customers=3))
def test_a_merge_with_an_empty_state_changes_nothing(made: list[Step]) -> None:
    for state in states(made):
        before = encode_customer(state)
        for one in (merge(state, CustomerState()), merge(CustomerState(), state)):
            for name in CustomerState.__slots__:
                if name == "pending":
                    expected_pending = sorted(
                        state.pending, key=lambda each: (each.settle_at_ms, each.decision_id)
                    )
                    assert one.pending == expected_pending
                elif name != "head":
                    assert getattr(one, name) == getattr(state, name), name
            expected = list(state.head)
            if not cart_waits(state):
                expected[HEAD["due_cart_left_ms"]] = 0.0
            assert list(one.head) == expected
        assert encode_customer(state) == before


@settings(max_examples=25)
@given(steps(customers=3))
def test_the_order_in_which_three_states_are_merged_does_not_matter(made: list[Step]) -> None:
    a, b, c = states(made)
    one, other = merge(merge(a, b), c), merge(a, merge(b, c))
    assert merge(a, b) == merge(b, a)
    assert_equal_up_to_rounding(one, other)
    assert_bounded(one)
    assert decode_customer(encode_customer(one)) == one
