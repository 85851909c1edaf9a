"""No field is forgotten when two states are merged: a new field fails here until it has a rule.

Each stored struct is filled by its declared fields, so a field that is added is in the test.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import msgspec
import pytest

from streams.core.folds.merge import merge
from streams.core.folds.subscriptions import sum_up
from streams.core.state.baskets import CartItem, Habit, Subscription
from streams.core.state.customer import (
    CreditedOrder,
    CustomerState,
    Pending,
    StatedValue,
    SuppressionCount,
    Ticket,
)
from streams.core.state.layout import CONTACT_WIDTH, FAMILY_WIDTH, HEAD, HEAD_WIDTH

# Facts of the decision, equal in each copy of it: `merge_pending` takes them from either side.
DECIDED = {
    *("decision_id", "model", "action", "family", "issue", "channel", "decided_at_ms"),
    *("window_end_ms", "settle_at_ms", "outcomes", "family_purchase", "action_probability"),
    *("feature_version", "features", "arm", "published", "subscription", "service"),
}
# What changes until the decision is settled: `merge_pending` has a rule for each.
CREDITED = {"rewarded", "converted", "spent_minor", "first", "currency", "orders", "lasting"}

# Values for fields that a number, a text or True would not fit.
SPECIAL: dict[tuple[type, str], Any] = {
    (Pending, "outcomes"): ["click"],
    (Pending, "arm"): 0,
    (Pending, "published"): False,
    (Pending, "lasting"): 3,
    (Ticket, "severity"): 1,
    (StatedValue, "weight"): 0.5,
    (Subscription, "ended_ms"): 50,
    (Habit, "weight"): 40,
    (Habit, "sure"): 2,
}
OF_TYPE: dict[object, Any] = {
    **{int: 90, "int": 90, float: 7.0, "float": 7.0, bool: True, "bool": True},
    **{str: "x", "str": "x", bytes: b"1234", "bytes": b"1234"},
    **{"str | None": "x", str | None: "x"},
}


def filled(kind: type[msgspec.Struct]) -> Any:
    """Return a struct none of whose fields is at its default."""
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        if (kind, field.name) == (Pending, "orders"):
            values[field.name] = [filled(CreditedOrder)]
        else:
            values[field.name] = SPECIAL.get((kind, field.name), OF_TYPE.get(field.type))
        assert values[field.name] is not None, f"{kind.__name__}.{field.name} needs a value here"
    return kind(**values)


def full() -> CustomerState:
    """Return a state with something in each field, each slot of a row and each nested field."""
    state = CustomerState()
    state.applied_offset = 5
    state.head = array("d", [10.0 + number for number in range(HEAD_WIDTH)])
    state.families = {"tea": array("d", [2.0 + n for n in range(FAMILY_WIDTH)])}
    state.contacts = array("d", [3.0 + n for n in range(CONTACT_WIDTH)])
    state.recent_ids = bytes(range(1, 7))
    state.known_ids = {0: b"\0\0\0\1" + b"\0\0\0\2abcd"}
    state.watermarks = {1: 4}
    state.products = {"pot": filled(Habit)}
    state.cart = {"pot": filled(CartItem)}
    state.cart["pot"].at_ms = 1_000
    state.subscriptions = {3: filled(Subscription)}
    state.tickets = {"t": filled(Ticket)}
    state.preferences = {"tea": filled(StatedValue)}
    state.answers = {"goal": filled(StatedValue)}
    state.unsubscribed = {"sms": 1_000}
    state.resubscribed = {"email": 1_000}
    state.time_zone = "Europe/Berlin"
    state.pending = [filled(Pending)]
    state.suppression_counts = {8: filled(SuppressionCount)}
    state.enrolled = 1
    sum_up(state)
    # An active subscription has no end: the slot is what `sum_up` says, see its own tests.
    state.head[HEAD["subscription_end_ms"]] = 0.0
    return state


def empty_fields(state: CustomerState) -> list[str]:
    """Return what is as in a fresh state: fields, and slots of the head."""
    fresh = CustomerState()
    fields = [
        name for name in CustomerState.__slots__ if getattr(state, name) == getattr(fresh, name)
    ]
    slots = [n for n, s in HEAD.items() if not state.head[s] and n != "subscription_end_ms"]
    return fields + slots


def nested(state: CustomerState) -> Iterator[tuple[str, msgspec.Struct]]:
    """Yield each nested struct of a state under the name of its field."""
    for name in CustomerState.__slots__:
        value = getattr(state, name)
        entries = value.values() if isinstance(value, dict) else value
        if isinstance(value, dict | list):
            yield from ((name, each) for each in entries if isinstance(each, msgspec.Struct))
    yield from (("orders", order) for pending in state.pending for order in pending.orders)


def variants() -> Iterator[tuple[str, CustomerState]]:
    """Yield full states that differ from `full` in one number or one nested field."""
    for name, slot in HEAD.items():
        if name != "spend_currency" and not name.startswith(("subscri", "era")):
            state = full()
            state.head[slot] += 1
            yield name, state
    for index, (name, entry) in enumerate(nested(full())):
        for field in msgspec.structs.fields(type(entry)):
            state = full()
            other = list(nested(state))[index][1]
            value = getattr(other, field.name)
            if isinstance(value, bool):
                setattr(other, field.name, not value)
            elif isinstance(value, int | float):
                setattr(other, field.name, value + 1)
            elif isinstance(value, str) and field.name != "decision_id":
                setattr(other, field.name, value + "y")
            else:
                continue
            sum_up(state)
            yield f"{name}.{field.name}", state


def test_the_full_state_leaves_no_field_out() -> None:
    assert empty_fields(full()) == []


def test_a_full_state_merged_with_an_empty_one_is_itself() -> None:
    for one in (merge(full(), CustomerState()), merge(CustomerState(), full())):
        for name in CustomerState.__slots__:
            assert getattr(one, name) == getattr(full(), name), name


def test_what_both_states_have_is_not_lost() -> None:
    one = merge(full(), full())
    assert empty_fields(one) == []
    for name, entry in nested(one):
        for field in msgspec.structs.fields(type(entry)):
            if field.default is not msgspec.NODEFAULT:
                kept = getattr(entry, field.name)
                assert kept != field.default, f"{name}.{field.name} is lost in a merge"


@pytest.mark.parametrize(
    ("what", "changed"), list(variants()), ids=lambda v: v if isinstance(v, str) else ""
)
def test_a_difference_in_one_field_does_not_depend_on_which_state_comes_first(
    what: str, changed: CustomerState
) -> None:
    before = deepcopy(changed)
    assert merge(full(), changed) == merge(changed, full()), what
    assert changed == before


def test_each_field_of_a_pending_decision_is_a_fact_or_has_a_rule() -> None:
    fields = {field.name for field in msgspec.structs.fields(Pending)}
    assert fields == DECIDED | CREDITED
    assert not DECIDED & CREDITED
