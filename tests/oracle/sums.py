"""The oracle's numbers: each sum by its definition, over the whole list of events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

Event = dict[str, Any]

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
HALF_LIVES_MS = {"1h": HOUR_MS, "1d": DAY_MS, "30d": 30 * DAY_MS}
_INTEREST = {"view": 1.0, "search": 1.0, "add_to_cart": 3.0, "wishlist": 2.0}
_CLICK_SUMS = {
    "view": "views",
    "search": "searches",
    "add_to_cart": "cart_adds",
    "remove_from_cart": "cart_removes",
    "wishlist": "wishlists",
}
_OUTCOME_SUMS = {
    "impression": "impressions",
    "click": "clicks",
    "accept": "accepts",
    "reject": "rejects",
    "objection": "rejects",
}


def _decayed(weighted: Iterable[tuple[int, float]], now_ms: int) -> dict[str, float]:
    items = list(weighted)
    return {
        name: sum(amount * 2.0 ** (-(now_ms - at_ms) / half_life) for at_ms, amount in items)
        for name, half_life in HALF_LIVES_MS.items()
    }


def _paid(line: Mapping[str, Any]) -> int:
    price = round(line["quantity"] * line["unit_price_minor"])
    return max(int(price - line["discount_minor"]), 0)


def sums(events: list[Event], now_ms: int) -> dict[str, dict[str, float]]:
    """Return what each sum is worth now, at every half-life."""
    amounts: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for e in events:
        kind, at = e["kind"], e["at"]
        if e["topic"] == "clickstream":
            if kind in _CLICK_SUMS:
                amounts[_CLICK_SUMS[kind]].append((at, 1.0))
            amounts["dwell_s"].append((at, e["dwell_ms"] / 1000))
        elif e["topic"] == "outcomes" and kind in _OUTCOME_SUMS:
            amounts[_OUTCOME_SUMS[kind]].append((at, 1.0))
        elif kind == "order":
            amounts["orders"].append((at, 1.0))
            amounts["spend"].append((at, sum(map(_paid, e["lines"]))))
        elif kind in ("refund", "return"):
            amounts["refunds"].append((at, 1.0))
            amounts["refund_spend"].append((at, sum(map(_paid, e["lines"]))))
        elif kind == "opened":
            amounts["tickets"].append((at, 1.0))
        elif kind == "message":
            amounts["messages"].append((at, 1.0))
    names = {*_CLICK_SUMS.values(), *_OUTCOME_SUMS.values()}
    names |= {"dwell_s", "orders", "spend", "refunds", "refund_spend", "tickets", "messages"}
    return {name: _decayed(amounts[name], now_ms) for name in sorted(names)}


def families(events: list[Event], now_ms: int) -> dict[str, dict[str, Any]]:
    """Return the interest in each family and the orders of it."""
    interest: dict[str, list[tuple[int, float]]] = defaultdict(list)
    orders: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for e in events:
        if e["topic"] == "clickstream" and e["family"] and e["kind"] in _INTEREST:
            interest[e["family"]].append((e["at"], _INTEREST[e["kind"]]))
        if e["kind"] == "order":
            for family in {line["family"] for line in e["lines"] if line["family"]}:
                lines = [line for line in e["lines"] if line["family"] == family]
                interest[family].append((e["at"], 5.0))
                orders[family].append((e["at"], sum(map(_paid, lines))))
    return {
        family: {
            "interest": _decayed(shown, now_ms),
            "orders_30d": _decayed([(at, 1.0) for at, _ in orders[family]], now_ms)["30d"],
            "spend_30d": _decayed(orders[family], now_ms)["30d"],
            "days": _rhythm(orders[family]),
            "last_order_ms": max((at for at, _ in orders[family]), default=0),
            "last_seen_ms": max(at for at, _ in shown),
        }
        for family, shown in interest.items()
    }


def _rhythm(orders: list[tuple[int, int]]) -> tuple[int, int, int]:
    """Return on how many days there were orders, the first of them and the last."""
    days = {at // DAY_MS for at, _ in orders}
    return len(days), min(days, default=0), max(days, default=0)


def totals(events: list[Event]) -> dict[str, float]:
    """Return the counts over the whole life."""
    orders = [e for e in events if e["kind"] == "order"]
    answers = [e["kind"] for e in events if e["topic"] == "outcomes"]
    return {
        "orders": len(orders),
        "lines": sum(len(e["lines"]) for e in orders),
        "spend": sum(_paid(line) for e in orders for line in e["lines"]),
        "refunds": sum(e["kind"] in ("refund", "return") for e in events),
        "tickets": sum(e["kind"] == "opened" for e in events),
        "clicks": answers.count("click"),
        "accepts": answers.count("accept"),
        "rejects": answers.count("reject"),
    }
