"""The held-out live like the treated as long as nobody is influenced."""

from __future__ import annotations

from collections import Counter

import pytest

from schemas.records import Tick, TimelineRecord
from streams.core.units import DAY_MS, HOUR_MS
from tests.support.events import NOON_MS, Feed, numbered, use
from tests.support.memory import Log, MemoryVersions
from tests.support.shops import load

SHOP = """
name: Ghosts
currency: EUR
holdout_ratio: 0.5
cool_down_seconds: 0
consent: {marketing: opt_out, personalization: opt_out}
suppression: [{id: tired, after: ignored, times: 2, for_days: 30}]
families: [tea]
issues:
  - id: offers
    purpose: marketing
    reward: {family_purchase: true, window_hours: 2}
    valid_hours: 1
    families:
      - id: tea
        actions:
          - {id: tea, moments: [browsing], value: 9,
             treatments: [{id: shelf, channel: web, message: "Tea"}]}
"""


@pytest.mark.parametrize("buys", [False, True])
def test_who_buys_nothing_is_left_alone_in_every_arm(buys: bool) -> None:
    """Or the treated would be compared with held-out customers of whom nobody is left out."""
    catalogue, feed = load(SHOP), Feed()
    records: list[TimelineRecord] = [use(catalogue)]
    for day in range(6):
        at_ms = NOON_MS + day * DAY_MS
        records += [feed.click(f"c{n}", at_ms + n, family="tea") for n in range(20)]
        if buys:
            records += [feed.order(f"c{n}", at_ms + HOUR_MS) for n in range(20)]
        records.append(Tick(at_ms + 3 * HOUR_MS))
    out = Log(MemoryVersions(catalogue)).play(numbered(records))
    tired = Counter(d.arm for d in out.decisions if "contact:tired" in d.fates)
    each = Counter(d.arm for d in out.decisions)
    assert set(each) == {"holdout", "treated"}
    assert all((tired[arm] > each[arm] / 3) is not buys for arm in each)
