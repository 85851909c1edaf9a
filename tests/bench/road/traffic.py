"""Seeded traffic of a shop: visits, orders, tickets, wishes, and answers to published actions."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from schemas.records import NextBestAction
from schemas.topics import CLICKSTREAM, OUTCOMES, PROFILE, PURCHASES, SUPPORT
from schemas.wire import encode_event
from streams.core.folds.attribution import SETTLE_GRACE_MS
from tests.bench.road.catalogue import FAMILIES

_MIX = {CLICKSTREAM.name: 81, PURCHASES.name: 5, SUPPORT.name: 2, PROFILE.name: 3, OUTCOMES.name: 9}
_CLICKS = {
    "view": 54,
    "search": 14,
    "add_to_cart": 9,
    "remove_from_cart": 2,
    "wishlist": 5,
    "page_leave": 16,
}
_PURCHASES = {"order": 90, "refund": 7, "return": 3}
_SUPPORT = {"opened": 4, "message": 5, "resolved": 4, "rated": 1}
_PROFILE = {"signed_up": 3, "preference": 5, "survey_answer": 2, "contact_setting": 1}
_ANSWERS = {"impression": 55, "click": 25, "accept": 10, "reject": 10}
_CHANNELS = ("web", "web", "app", "store")
_PRODUCTS = 480
# Topics are read side by side, so what lies ready must not be older than a decision may be
# (`streams.core.moments.FRESH_MS`): as at 20,000 events a second, it is of a few minutes.
SPAN_MS = 240_000
# From one such stretch to the next: the attribution windows of the first end within the second.
GAP_MS = 12 * 3_600_000 + SETTLE_GRACE_MS - SPAN_MS // 10
# An answer is to an action this share of the stretch ahead of it at most.
_ANSWERED_WITHIN = 0.3
# How often somebody looks at what is not of their families.
_CURIOUS = 0.1
# Seconds between two steps of one visit, and steps a visit: the mean of both.
_STEP_S, _STEPS = 15.0, 7


class Sent(NamedTuple):
    """One record for an input topic."""

    topic: str
    customer: str
    value: dict[str, Any]

    def encoded(self) -> bytes:
        """Return the record's value, framed."""
        return encode_event(self.topic, self.value)


class Traffic:
    """Makes events in order of time; the same seed gives the same ones.

    `answerable` are published actions whose customers may still answer. `spacing_s` is the time
    between two events where it is not that of their dates.
    """

    def __init__(
        self,
        customers: int,
        from_ms: int,
        until_ms: int,
        seed: int,
        answerable: Sequence[NextBestAction] = (),
        spacing_s: float | None = None,
    ) -> None:
        self._random = random.Random(seed)
        self._seed = seed
        self._customers = customers
        self._from_ms, self._until_ms = from_ms, until_ms
        self._answerable = sorted(answerable, key=lambda action: action.decided_at_ms)
        self._spacing_s = spacing_s
        self._made = 0

    def events(self, count: int) -> Iterator[Sent]:
        """Yield `count` events, spread evenly from the first time to the last."""
        between_s = self._spacing_s or (self._until_ms - self._from_ms) / 1_000 / count
        visits = [self._visit() for _ in range(max(1, round(_STEP_S / between_s)))]
        topics = self._random.choices(list(_MIX), list(_MIX.values()), k=count)
        for number, topic in enumerate(topics):
            at_ms = self._from_ms + (self._until_ms - self._from_ms) * number // count
            place = self._random.randrange(len(visits))
            customer, left = visits[place]
            visits[place] = (customer, left - 1) if left > 1 else self._visit()
            if topic == OUTCOMES.name:
                if self._answerable:
                    yield self._answer(at_ms)
                    continue
                topic = CLICKSTREAM.name
            self._made += 1
            yield Sent(topic, customer, self._value(topic, customer, at_ms))

    def _visit(self) -> tuple[str, int]:
        number = self._random.randrange(self._customers)
        return f"customer-{number}", 1 + int(self._random.expovariate(1 / _STEPS))

    def _answer(self, at_ms: int) -> Sent:
        # The earlier a decision, the sooner its window ends.
        done = (at_ms - self._from_ms) / (self._until_ms - self._from_ms)
        place = min(done + _ANSWERED_WITHIN * self._random.random(), 0.999_999)
        action = self._answerable[int(place * len(self._answerable))]
        self._made += 1
        value = self._event(OUTCOMES.name, action.customer, at_ms, self._one_of(_ANSWERS))
        value |= {"decision_id": action.decision_id, "channel": action.channel}
        return Sent(OUTCOMES.name, action.customer, value)

    def _value(self, topic: str, customer: str, at_ms: int) -> dict[str, Any]:
        if topic == PURCHASES.name:
            return self._purchase(customer, at_ms)
        if topic == SUPPORT.name:
            more = {"ticket_id": f"t{self._random.randrange(3)}", "severity": "normal"}
            value = self._event(topic, customer, at_ms, self._one_of(_SUPPORT)) | more
            return value | ({"satisfaction": 4} if value["kind"] == "rated" else {})
        if topic == PROFILE.name:
            return self._profile(customer, at_ms)
        product = self._product(customer)
        return self._event(topic, customer, at_ms, self._one_of(_CLICKS)) | {
            "product_id": f"product-{product}",
            "family": FAMILIES[product % len(FAMILIES)],
            "channel": self._random.choice(_CHANNELS),
            "device": "phone",
            "session_id": f"session-{self._made // _STEPS}",
            "dwell_ms": self._random.randrange(60_000),
            "price_minor": 100 * (product % 90),
        }

    def _purchase(self, customer: str, at_ms: int) -> dict[str, Any]:
        products = {self._product(customer) for _ in range(self._random.randint(1, 3))}
        lines = [
            {
                "product_id": f"product-{product}",
                "family": FAMILIES[product % len(FAMILIES)],
                "quantity": 1.0,
                "unit_price_minor": 100 * (product % 90),
                "discount_minor": 0,
            }
            for product in sorted(products)
        ]
        value = self._event(PURCHASES.name, customer, at_ms, self._one_of(_PURCHASES))
        return value | {"order_id": f"order-{self._made}", "currency": "EUR", "lines": lines}

    def _profile(self, customer: str, at_ms: int) -> dict[str, Any]:
        value = self._event(PROFILE.name, customer, at_ms, self._one_of(_PROFILE))
        family = self._random.choice(FAMILIES)
        told: dict[str, dict[str, Any]] = {
            "preference": {"subject": family, "weight": self._random.choice((-0.5, 0.5, 1.0))},
            "survey_answer": {"subject": "size", "value": "large"},
            "contact_setting": {"time_zone": "Europe/Berlin"},
        }
        return value | told.get(value["kind"], {})

    def _product(self, customer: str) -> int:
        """Return a product, most often of one of the customer's three families."""
        if self._random.random() < _CURIOUS:
            return self._random.randrange(_PRODUCTS)
        family = (int(customer.rpartition("-")[2]) + 5 * self._random.randrange(3)) % len(FAMILIES)
        return family + len(FAMILIES) * self._random.randrange(_PRODUCTS // len(FAMILIES))

    def _event(self, topic: str, customer: str, at_ms: int, kind: str) -> dict[str, Any]:
        return {
            "event_id": f"{topic}-{self._seed}-{self._made}",
            "customer_id": customer,
            "occurred_at": at_ms,
            "kind": kind,
        }

    def _one_of(self, weighted: dict[str, int]) -> str:
        (one,) = self._random.choices(list(weighted), list(weighted.values()))
        return one
