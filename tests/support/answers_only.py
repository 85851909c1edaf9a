"""A shop whose offers are rewarded by a click alone, and whose customers buy as they like anyway.

Keen customers click and buy more. Who ignores an offer is rested from it, and the held-out, who get
nothing, cannot ignore: the offers that are still made go to the keen, in one arm only.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from schemas.records import Lesson, OrderLine, Origin, Outcome, Tick, TimelineRecord
from streams.core.units import DAY_MS, HOUR_MS
from tests.support.events import NOON_MS, Feed, numbered, use
from tests.support.memory import Log, MemoryVersions
from tests.support.shops import load

HOLDOUT = 0.3
SHOP = f"""
name: Answers only
currency: EUR
holdout_ratio: {HOLDOUT}
exploration: {{gamma: 4}}
no_action: {{priority: 0}}
cool_down_seconds: 0
consent: {{marketing: opt_out, personalization: opt_out}}
suppression: [{{id: tired, after: ignored, times: 1, for_days: 30}}]
families: [tea, coffee]
issues:
  - id: offers
    purpose: marketing
    reward: {{outcomes: [click], window_hours: 4}}
    valid_hours: 1
    families:
      - each: all
        actions:
          - {{id: "show_{{family}}", moments: [browsing], value: 9,
             treatments: [{{id: shelf, channel: web, message: "Look"}}]}}
          - {{id: "news_of_{{family}}", moments: [browsing], value: 9,
             treatments: [{{id: shelf, channel: web, message: "News"}}]}}
"""
KEEN, VISITS = 0.3, 0.8
# Of an offer, of the keen and of all others.
CLICKS = (0.9, 0.1)
BUYS = (0.3, 0.04)


def lessons_of(seed: int, customers: int, days: int, lift: float = 1.0) -> Iterator[Lesson]:
    """Play the shop through the engine; with an offer a purchase is `lift` times as likely."""
    chance, feed = np.random.default_rng(seed), Feed()
    catalogue = load(SHOP)
    log = Log(MemoryVersions(catalogue), salt=f"shop {seed}")
    log.play(numbered([use(catalogue)]))
    keen = chance.random(customers) < KEEN
    offset, answers = 1, 0
    for day in range(days):
        at_ms = NOON_MS + day * DAY_MS
        here = np.flatnonzero(chance.random(customers) < VISITS).tolist()
        visits = [feed.click(f"c{who}", at_ms + who, family="tea") for who in here]
        offers = {a.customer: a for a in log.play(numbered(visits, offset)).actions}
        offset += len(visits)
        later: list[TimelineRecord] = []
        for who in here:
            offer, kind = offers.get(f"c{who}"), 0 if keen[who] else 1
            if offer is not None and chance.random() < CLICKS[kind]:
                origin = Origin("outcomes", 0, answers, at_ms + HOUR_MS)
                answers += 1
                later.append(
                    Outcome(
                        event_id=f"answer {answers}",
                        customer=f"c{who}",
                        at_ms=at_ms + HOUR_MS,
                        origin=origin,
                        kind="click",
                        decision_id=offer.decision_id,
                    )
                )
            for family in ("tea", "coffee"):
                if chance.random() < BUYS[kind] * (1.0 if offer is None else lift):
                    line = OrderLine(family, family, 1.0, 500)
                    later.append(feed.order(f"c{who}", at_ms + 2 * HOUR_MS, line))
        later.append(Tick(at_ms + 6 * HOUR_MS))
        yield from log.play(numbered(later, offset)).lessons
        offset += len(later)
