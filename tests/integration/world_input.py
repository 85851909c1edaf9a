"""Seeded input of every kind: what customers do, say and ask, some of it twice, late or broken.

It stays within the bounds of the state's maps and sends a customer's orders in order, so that
what must come of it does not depend on the order in which topics are read.
"""

from __future__ import annotations

import random
import string
from collections import Counter
from collections.abc import Iterable
from typing import Any

from schemas.records import NextBestAction
from schemas.symbols import CHANNELS, PURPOSES, SEVERITIES
from schemas.topics import CLICKSTREAM, OUTCOMES, PROFILE, PURCHASES, SUPPORT
from schemas.wire import encode_event
from streams.core.channels import REACHING_OUT
from tests.integration.world import Given
from tests.integration.world_bad_input import broken
from tests.support.events import NOON_MS

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
START_MS = NOON_MS - 12 * HOUR_MS

FAMILIES = ("tea", "coffee", "cake", "mugs")
_EVENTS_PER_CUSTOMER = 25
# An event id is remembered for the customer's next 15 events: who has fewer may repeat any.
_FEW = 10
_FEW_ANSWERS = 3
_PRODUCTS = 8
_CLICKS = {
    "view": 45,
    "search": 20,
    "add_to_cart": 15,
    "remove_from_cart": 6,
    "wishlist": 7,
    "page_leave": 7,
}
_PURCHASES = {"order": 80, "refund": 10, "return": 5, "subscription_start": 5}
_SUPPORT = {"opened": 4, "message": 3, "escalated": 1, "reopened": 1, "resolved": 3, "rated": 2}
_PROFILE = {
    "signed_up": 2,
    "preference": 4,
    "survey_answer": 2,
    "goal": 1,
    "demographic": 1,
    "contact_setting": 2,
    "consent": 3,
    "channel_setting": 1,
}
_ANSWERS = ("delivered", "impression", "click", "click", "accept", "reject", "objection")


class InputMaker:
    """Makes the records of one story of about `events` events, act by act.

    Customers are called `named` and a number.
    """

    def __init__(self, events: int, seed: int, *, named: str = "c") -> None:
        self._random = random.Random(seed)
        self._named = named
        self._customers = events // _EVENTS_PER_CUSTOMER
        self._made: Counter[str] = Counter()
        self._had: Counter[int] = Counter()
        self._orders: Counter[int] = Counter()
        self._repeatable: list[Given] = []

    def act(self, count: int, from_ms: int, until_ms: int) -> list[Given]:
        """Return `count` records of customers who are at it between two times."""
        span_ms = until_ms - from_ms
        return [self._next(from_ms + span_ms * place // count) for place in range(count)]

    def erasures(self, at_ms: int) -> list[Given]:
        """Return one customer in forty asking to be forgotten."""
        asking = range(7, self._customers, 40)
        return [self._given(PROFILE.name, self._event(c, at_ms, "erasure")) for c in asking]

    def answers(self, actions: Iterable[NextBestAction], later_ms: int) -> list[Given]:
        """Return what becomes of actions; unsubscribing takes until `later_ms`."""
        made: list[Given] = []
        for action in sorted(actions, key=lambda each: each.decision_id):
            number = _number(action.customer)
            few = number % 3 == 0
            if few and self._had[number] >= _FEW + _FEW_ANSWERS:
                continue
            chance = int(action.decision_id[:8], 16)
            kind = _ANSWERS[chance % len(_ANSWERS)]
            at_ms = action.decided_at_ms + chance % (50 * MINUTE_MS)
            if unsubscribes(action.customer):
                kind, at_ms = "unsubscribe", later_ms + chance % HOUR_MS
            answer = self._event(number, at_ms, kind) | {
                "decision_id": action.decision_id,
                "channel": action.channel,
            }
            made.append(self._given(OUTCOMES.name, answer))
            self._had[number] += 1
        return made

    def _next(self, at_ms: int) -> Given:
        chance = self._random.random()
        if chance < 0.02 and self._repeatable:
            return self._random.choice(self._repeatable)
        number = self._customer()
        if chance > 0.997:
            return broken(self._random, self._event(number, at_ms, "view") | {"event_id": "bad"})
        self._had[number] += 1
        topic, event = self._something(number, at_ms)
        late = topic != PURCHASES.name and self._random.random() < 0.1
        if late:
            event["occurred_at"] -= self._random.randrange(2 * DAY_MS)
        given = self._given(topic, event)
        if number % 3 == 0:
            self._repeatable.append(given)
        return given

    def _customer(self) -> int:
        # Some come all the time, most now and then.
        number = int(self._customers * self._random.random() ** 2)
        while number % 3 == 0 and self._had[number] >= _FEW:
            number = (number + 1) % self._customers
        return number

    def _something(self, number: int, at_ms: int) -> tuple[str, dict[str, Any]]:
        (make,) = self._random.choices(
            (self._click, self._purchase, self._support, self._profile), (66, 12, 8, 14)
        )
        return make(number, at_ms)

    def _click(self, number: int, at_ms: int) -> tuple[str, dict[str, Any]]:
        product = self._product(number)
        more = {
            "product_id": product,
            "family": self._random.choice((_family(product), None, _family(product))),
            "channel": self._random.choice(CHANNELS),
            "dwell_ms": self._random.choice((0, 0, self._random.randrange(90_000))),
        }
        return CLICKSTREAM.name, self._event(number, at_ms, self._one_of(_CLICKS)) | more

    def _purchase(self, number: int, at_ms: int) -> tuple[str, dict[str, Any]]:
        products = {self._product(number) for _ in range(self._random.randint(1, 3))}
        lines = [
            {
                "product_id": product,
                "family": _family(product),
                "quantity": float(self._random.randint(1, 4)),
                "unit_price_minor": self._random.randint(0, 5_000),
                "discount_minor": self._random.choice((0, 0, 100, 2_000)),
            }
            for product in sorted(products)
        ]
        event = self._event(number, at_ms, self._one_of(_PURCHASES))
        # A refund or return is of the customer's last order.
        self._orders[number] += event["kind"] == "order"
        order_id = f"o{self._orders[number]}"
        return PURCHASES.name, event | {"order_id": order_id, "currency": "EUR", "lines": lines}

    def _support(self, number: int, at_ms: int) -> tuple[str, dict[str, Any]]:
        event = self._event(number, at_ms, self._one_of(_SUPPORT)) | {
            "ticket_id": f"t{self._random.randrange(4)}",
            "severity": self._random.choice(SEVERITIES),
            "family": self._random.choice((None, *FAMILIES)),
        }
        if event["kind"] == "rated":
            event["satisfaction"] = self._random.randint(1, 5)
        return SUPPORT.name, event

    def _profile(self, number: int, at_ms: int) -> tuple[str, dict[str, Any]]:
        event = self._event(number, at_ms, self._one_of(_PROFILE))
        roll = self._random.randrange
        told: dict[str, dict[str, Any]] = {
            "preference": {
                "subject": FAMILIES[roll(4)],
                "weight": self._random.choice((-1.0, -0.5, 0.25, 1.0)),
            },
            "survey_answer": {"subject": f"q{roll(4)}", "value": f"answer {roll(9)}"},
            "goal": {"subject": f"goal{roll(2)}"},
            "demographic": {"subject": f"d{roll(2)}", "value": str(roll(9))},
            "contact_setting": self._random.choice(
                (
                    {"time_zone": self._random.choice(("Europe/Berlin", "Asia/Tokyo"))},
                    {"quiet_from_minute": 60 * roll(24), "quiet_until_minute": 60 * roll(24)},
                )
            ),
            "consent": {"purpose": self._random.choice(PURPOSES), "granted": roll(3) > 0},
            "channel_setting": {
                "channel": self._random.choice(REACHING_OUT),
                "granted": roll(2) > 0,
            },
        }
        return PROFILE.name, event | told.get(event["kind"], {})

    def _event(self, number: int, at_ms: int, kind: str) -> dict[str, Any]:
        return {
            "event_id": "",
            "customer_id": f"{self._named}{number}",
            "occurred_at": at_ms,
            "kind": kind,
        }

    def _given(self, topic: str, event: dict[str, Any]) -> Given:
        key: bytes | None = event["customer_id"].encode()
        if event["kind"] in ("view", "search") and self._random.random() < 0.1:
            # The order of these does not matter, and keys are nobody's business.
            key = self._random.choice((None, b"\xff\xfe", self._random.randbytes(4)))
        # Unique within its topic, which is all that is asked of an id.
        self._made[topic] += 1
        event["event_id"] = f"e{self._made[topic]}"
        return Given(topic, key, encode_event(topic, event))

    def _product(self, number: int) -> str:
        return f"p{(number * 7 + self._random.randrange(_PRODUCTS)) % 40}"

    def _one_of(self, weighted: dict[str, int]) -> str:
        (one,) = self._random.choices(list(weighted), list(weighted.values()))
        return one


def unsubscribes(customer: str) -> bool:
    """Return whether the customer answers to every action that it was the last."""
    return _number(customer) % 11 == 5


def _number(customer: str) -> int:
    return int(customer.lstrip(string.ascii_letters))


def _family(product: str) -> str:
    return FAMILIES[int(product[1:]) % len(FAMILIES)]
