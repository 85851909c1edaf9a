"""What must lie in a customer's cart, worked out from what they put in and took out."""

from __future__ import annotations

from collections import defaultdict

from tests.oracle.sums import Event


def cart(events: list[Event], *, ordered_ms: int) -> dict[str, tuple[int | None, int]]:
    """Return how many thousandths of each product lie in the cart, and when it was touched last.

    `ordered_ms` is when the latest order was placed, 0 for none.

    How many is None, not claimed, where an event was late or an order came in between: then it
    depends on what was heard of first.
    """
    steps: dict[str, list[Event]] = defaultdict(list)
    for e in events:
        if e["kind"] in ("add_to_cart", "remove_from_cart"):
            steps[e["product_id"]].append(e)
    found: dict[str, tuple[int | None, int]] = {}
    for product, told in steps.items():
        offsets = [e["offset"] for e in told]
        quantity = 0.0
        for e in told:
            many = 1.0 if e["quantity"] is None else e["quantity"]
            quantity = max(quantity, 0.0) + many if e["kind"] == "add_to_cart" else quantity - many
        sure = offsets == sorted(offsets) and not ordered_ms
        if told[-1]["at"] > ordered_ms:
            milli = round(1_000 * max(quantity, 0.0)) if sure else None
            found[product] = (milli, told[-1]["at"])
    return found
