"""What the simulated business offers, and what its customers do."""

from __future__ import annotations

from random import Random

from schemas.records import CustomerEvent, NextBestAction
from streams.core.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.events import NOON_MS, Feed
from tests.support.made_up import EVENTS
from tests.support.shops import SHOP_BUSY, SHOP_TOMORROW, load

# Fewer moments than at noon: a wave of decisions is what a history costs.
_COOL = ("cool_down_seconds: 2\n", "cool_down_seconds: 600\n")
CATALOGUES = [
    load(text.replace(*_COOL))
    for text in (SHOP_BUSY, SHOP_TOMORROW, SHOP_BUSY.replace("per_day: 6", "per_day: 2"))
]
CUSTOMERS = [f"customer-{n}" for n in range(5)]
_DONE = ("view", "search", "add", "order", "order", "refund", "ticket", "sign_up", "consent")
_SELDOM = ("remove", "preference", "hours", "erase")
_ANSWERS = ("click", "accept", "impression", "reject", "delivered")
PAUSES_MS = (20 * SECOND_MS, 5 * MINUTE_MS, 40 * MINUTE_MS, 3 * HOUR_MS, 9 * HOUR_MS)
_LATE_MS = (*(0,) * 9, 2 * MINUTE_MS, 2 * HOUR_MS)


class Customers:
    """Do things in the shop, answer what they get, and repeat themselves."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._feed = Feed(partitions=2)
        self._done: list[CustomerEvent] = []
        self.now_ms = NOON_MS - 4 * HOUR_MS

    def pass_time(self) -> None:
        self.now_ms += self._chance.choice(PAUSES_MS)

    def pass_days(self) -> None:
        self.now_ms += 3 * DAY_MS

    def act(self, actions: list[NextBestAction]) -> CustomerEvent:
        """Return what one of them does next; `actions` is what has been published."""
        draw, chance = self._chance.random(), self._chance
        if self._done and draw < 0.08:
            # Only just now: a state remembers the last few ids.
            return self._feed.again(chance.choice(self._done[-8:]))
        at_ms = self.now_ms - chance.choice(_LATE_MS)
        if actions and draw < 0.4:
            action = chance.choice(actions[-8:])
            event: CustomerEvent = self._feed.outcome(
                action.customer, at_ms, chance.choice(_ANSWERS), action.decision_id
            )
        else:
            what = chance.choice(_DONE if chance.random() < 0.85 else _SELDOM)
            who = chance.choice(CUSTOMERS)
            event = EVENTS[what](self._feed, who, at_ms, chance.randrange(10))
        self._done.append(event)
        return event
