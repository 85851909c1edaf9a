"""Whatever is admitted, the engine never raises and every number of a decision is finite."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

from models.learning.bank import Bank
from models.learning.capture import take
from models.protocol import ActionKey, Scorer
from models.scoring import linear_scorer
from schemas.bundled import bundled_schemas
from schemas.records import Decision, Origin, Rejection, Switch, Tick
from schemas.symbols import (
    CHANNELS,
    CLICK_KINDS,
    OUTCOME_KINDS,
    PROFILE_KINDS,
    PURCHASE_KINDS,
    PURPOSES,
    SEVERITIES,
    SUPPORT_KINDS,
)
from schemas.wire import encode_event
from streams.core.admission.admit import admit
from streams.core.features.definitions import FEATURE_NAMES, FEATURE_VERSION
from streams.core.hashing import decision_id
from streams.core.state.codec import decode_customer, encode_customer
from streams.core.state.layout import MAX_STATE_BYTES
from tests.support.events import NOON_MS, use
from tests.support.memory import Log, MemoryVersions
from tests.support.shops import SHOP, load

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
STEPS = 250
_SNAPSHOT = take(Bank("main", FEATURE_VERSION, FEATURE_NAMES))
_CATALOGUE = load(SHOP.replace("holdout_ratio: 0.2", "holdout_ratio: 0"))


class RealScorers(MemoryVersions):
    """Scorers that refuse what is not finite."""

    def scorer(self, model: str, version: str | None, actions: Any) -> Scorer:
        keys: list[ActionKey] = list(actions)
        return linear_scorer(_SNAPSHOT, keys, FEATURE_VERSION)


def text(rng: Random) -> str | None:
    return rng.choice([None, "tea", "coffee", "x" * 256, "é" * 256, "", "a\nb", "{family}", "[b]"])


def an_id(rng: Random) -> str:
    return rng.choice(["p1", "p2", "y" * 128, "ü" * 128, str(rng.random())])


def click(rng: Random, decisions: list[str]) -> dict[str, Any]:
    return {
        "kind": rng.choice(CLICK_KINDS),
        "product_id": an_id(rng),
        "family": text(rng),
        "channel": rng.choice(CHANNELS),
        "dwell_ms": rng.choice([0, DAY_MS]),
    }


def purchase(rng: Random, decisions: list[str]) -> dict[str, Any]:
    line = {
        "product_id": an_id(rng),
        "family": text(rng),
        "quantity": rng.choice([1e-300, 1.0, 1e6]),
        "unit_price_minor": rng.choice([0, 10**10]),
        "discount_minor": rng.choice([0, 10**10]),
    }
    lines = [line] * rng.choice([1, 3, 40])
    return {
        "kind": rng.choice(PURCHASE_KINDS),
        "order_id": "o",
        "currency": "EUR",
        "lines": lines,
    }


def ticket(rng: Random, decisions: list[str]) -> dict[str, Any]:
    return {
        "kind": rng.choice(SUPPORT_KINDS),
        "ticket_id": an_id(rng),
        "severity": rng.choice(SEVERITIES),
        "family": text(rng),
        "satisfaction": rng.choice([1, 5, None]),
    }


def told(rng: Random, decisions: list[str]) -> dict[str, Any]:
    start = rng.choice([None, 0, 600, 1439])
    return {
        "kind": rng.choice(PROFILE_KINDS),
        "subject": text(rng),
        "value": text(rng),
        "weight": rng.choice([None, -1.0, 0.5, 1.0]),
        "purpose": rng.choice([*PURPOSES, None]),
        "granted": rng.choice([True, False]),
        "time_zone": rng.choice([None, "Europe/London", "America", "Foo/Bar", "Asia/Kathmandu"]),
        "quiet_from_minute": start,
        "quiet_until_minute": None if start is None else rng.choice([0, 300, 1439]),
    }


def outcome(rng: Random, decisions: list[str]) -> dict[str, Any]:
    # Some name a decision that was made, most of them for somebody else; some one that never was.
    named = rng.choice([*decisions[-3:], decision_id("ada", "browsing", "nobody knows")])
    channel = rng.choice(CHANNELS)
    return {"kind": rng.choice(OUTCOME_KINDS), "decision_id": named, "channel": channel}


MAKERS = {
    "clickstream": click,
    "purchases": purchase,
    "support": ticket,
    "profile": told,
    "outcomes": outcome,
}
LATE_MS = (0, 0, 0, 300_000, -1_000, -HOUR_MS, -DAY_MS, -50 * DAY_MS, -400 * DAY_MS)


def is_finite(decision: Decision) -> bool:
    numbers = [*decision.priorities, *decision.probabilities, *decision.features]
    return bool(np.isfinite([*numbers, *decision.action_features]).all())


@pytest.mark.parametrize("seed", range(12))
def test_an_admitted_event_never_raises_and_every_number_of_a_decision_is_finite(
    seed: int,
) -> None:
    rng, now_ms = Random(seed), NOON_MS
    log = Log(RealScorers(_CATALOGUE))
    log.play([(0, use(_CATALOGUE)), (1, Switch("model", "main", _SNAPSHOT.version))])
    decisions: list[Decision] = []
    for offset in range(2, 2 + STEPS):
        now_ms += rng.choice([0, 1_000, HOUR_MS, DAY_MS, 40 * DAY_MS])
        topic = rng.choice([*MAKERS, "tick"])
        if topic == "tick":
            decisions += log.play([(offset, Tick(now_ms))]).decisions
            continue
        event = {
            "event_id": str(offset),
            "customer_id": rng.choice(["ada", "bob", "ü" * 128]),
            "occurred_at": max(now_ms + rng.choice(LATE_MS), 946_684_800_000),
            **MAKERS[topic](rng, [d.decision_id for d in decisions[-9:]]),
        }
        origin = Origin(topic, rng.randrange(40), offset, now_ms)
        admitted = admit(topic, encode_event(topic, event), origin, bundled_schemas())
        if not isinstance(admitted, Rejection):
            decisions += log.play([(offset, admitted)]).decisions
    assert decisions
    assert all(map(is_finite, decisions))
    for state in log.store.states.values():
        stored = encode_customer(state)
        assert len(stored) < MAX_STATE_BYTES
        assert decode_customer(stored) == state
