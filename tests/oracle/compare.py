"""A stored state in the words of the oracle, and where the two differ."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from streams.core.state.customer import CustomerState
from streams.core.state.layout import CONTACT, CONTACT_WIDTH, FAMILY
from tests.oracle.sums import HALF_LIVES_MS

_ERA_HALF_LIVES = 64
# Of a decayed sum a state keeps 21 bits, each time something is added.
_SUM_DIGITS = 1e-5


class _Worth(float):
    """What a decayed sum is worth: it agrees to five digits, everything else to nine."""


def remembered(state: CustomerState, wanted: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    """Return what a state holds of all that is `wanted` by the oracle, worth what it is now."""
    number = state.number
    found: dict[str, Any] = {
        "sums": {
            name: {h: _worth(number(f"{name}_{h}"), state, h, now_ms) for h in HALF_LIVES_MS}
            for name in wanted["sums"]
        },
        "families": {name: _family(state, name, now_ms) for name in state.families},
        "totals": {name: number(f"total_{name}") for name in wanted["totals"]},
        "latest": {name: number(f"latest_{name}") for name in wanted["latest"]},
        "cart": {
            p: (None if p in _unsure(wanted) else item.quantity_milli, item.at_ms)
            for p, item in state.cart.items()
        },
        "products": {p: (habit.days, habit.last_day) for p, habit in state.products.items()},
        "tickets": {t: (known.is_open, known.opened_at_ms) for t, known in state.tickets.items()},
        "preferences": {s: (t.at_ms, t.weight, t.value) for s, t in state.preferences.items()},
        "answers": {s: (t.at_ms, t.weight, t.value) for s, t in state.answers.items()},
        "contact_setting": (
            state.time_zone,
            number("quiet_from_minute"),
            number("quiet_until_minute"),
        ),
        "consent": {
            purpose: (number(f"consent_{purpose}"), number(f"consent_{purpose}_ms"))
            for purpose in wanted["consent"]
        },
        "unsubscribed": state.unsubscribed,
    }
    return found | {name: number(name) for name in wanted.keys() - found.keys()}


def _unsure(wanted: Mapping[str, Any]) -> set[str]:
    """Return the products of which nothing is claimed of how many lie in the cart."""
    return {product for product, (milli, _) in wanted["cart"].items() if milli is None}


def contact_times(state: CustomerState) -> list[int]:
    """Return when the customer was contacted, as far as it is remembered."""
    return sorted(int(at_ms) for at_ms in state.contacts[CONTACT["at_ms"] :: CONTACT_WIDTH])


def differences(found: Any, wanted: Any, path: str = "") -> list[str]:
    """Return where two nested values differ; numbers may differ in their last digits."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        if found.keys() != wanted.keys():
            return [f"{path}: {sorted(found)} instead of {sorted(wanted)}"]
        return [d for key in wanted for d in differences(found[key], wanted[key], f"{path}/{key}")]
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        if len(found) != len(wanted):
            return [f"{path}: {found} instead of {wanted}"]
        pairs = zip(found, wanted, strict=True)
        return [d for n, (f, w) in enumerate(pairs) for d in differences(f, w, f"{path}/{n}")]
    if isinstance(wanted, float | int) and isinstance(found, float | int):
        digits = _SUM_DIGITS if isinstance(found, _Worth) else 1e-9
        same = math.isclose(found, wanted, rel_tol=digits, abs_tol=1e-9)
    else:
        same = found == wanted
    return [] if same else [f"{path}: {found!r} instead of {wanted!r}"]


def _worth(total: float, state: CustomerState, half_life: str, now_ms: int) -> _Worth:
    half_life_ms = HALF_LIVES_MS[half_life]
    landmark_ms = state.number(f"era_{half_life}") * _ERA_HALF_LIVES * half_life_ms
    return _Worth(total * math.exp2((landmark_ms - now_ms) / half_life_ms))


def _family(state: CustomerState, name: str, now_ms: int) -> dict[str, Any]:
    row = state.families[name]
    days = int(row[FAMILY["order_days"]])
    first, last = int(row[FAMILY["first_order_day"]]), int(row[FAMILY["last_order_day"]])
    return {
        "interest": {
            h: _worth(row[FAMILY[f"interest_{h}"]], state, h, now_ms) for h in HALF_LIVES_MS
        },
        "orders_30d": _worth(row[FAMILY["orders_30d"]], state, "30d", now_ms),
        "spend_30d": _worth(row[FAMILY["spend_30d"]], state, "30d", now_ms),
        "days": (days, first, last),
        "last_order_ms": row[FAMILY["last_order_ms"]],
        "last_seen_ms": row[FAMILY["last_seen_ms"]],
    }
