"""An operator sees how often, and at what value, an action on trial would change the choice."""

from __future__ import annotations

import pytest
from prometheus_client import generate_latest

from streams.agents import role_metrics
from streams.agents.build_info import BuildInfo
from streams.core.engine.engine import Outputs
from streams.shell.telemetry.metrics import Metrics
from tests.support.events import NOON_MS, Feed, numbered, use
from tests.support.memory import Log
from tests.support.shops import SHOP, LeaningVersions, load

BUNDLE = """
          - id: bundle_{family}
            shadow: true
            moments: [browsing]
            value: 3
            treatments: [{id: shelf, channel: web, message: More}]
"""
OLD = "\n          - id: show_{family}\n"
TRIAL = load(SHOP.replace(OLD, BUNDLE + OLD[1:], 1))


def decided() -> Outputs:
    feed = Feed()
    clicks = [feed.click(f"customer-{n}", NOON_MS + n, family="tea") for n in range(200)]
    return Log(LeaningVersions(TRIAL)).play(numbered([use(TRIAL), *clicks]))


def test_trials_are_counted_with_what_they_would_bring() -> None:
    out, metrics = decided(), Metrics()
    role_metrics.count_outputs(metrics, BuildInfo(metrics, "1.0"))(out)
    tried = [d for d in out.decisions if d.shadow is not None]
    assert len(tried) == 200
    changed = [d for d in tried if d.shadow != d.chosen]
    assert 20 < len(changed) < 180
    value = metrics.registry.get_sample_value
    same = another = 0.0
    for name in {d.shadow for d in tried}:
        labels = {"action": str(name)}
        same += value("concierge_shadow_decisions_total", labels | {"fate": "same"}) or 0
        another += value("concierge_shadow_decisions_total", labels | {"fate": "another"}) or 0
    assert (same, another) == (200 - len(changed), len(changed))
    gain = sum(
        d.priorities[d.actions.index(d.shadow or "")] - d.priorities[d.actions.index(d.chosen)]
        for d in tried
    )
    told = {
        kind: value("concierge_shadow_value_total", {"kind": kind}) for kind in ("real", "shadow")
    }
    assert (told["shadow"] or 0) - (told["real"] or 0) == pytest.approx(gain)
    assert b'dropped_candidates_total{tier="reach"} 400.0' in generate_latest(metrics.registry)
