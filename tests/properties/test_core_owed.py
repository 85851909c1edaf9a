"""Service is owed, whatever happened, whichever arm, whatever was learned."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings

from models.learning.bank import Bank
from models.learning.capture import Snapshot, take
from models.protocol import ActionKey, Scorer
from models.scoring import linear_scorer, prior_scorer
from schemas.records import Decision, Outcome, Switch, Tick, TimelineRecord
from schemas.symbols import ARMS
from streams.core.catalogue.values import Catalogue
from streams.core.features.definitions import FEATURE_NAMES, FEATURE_VERSION
from streams.core.units import DAY_MS, HOUR_MS
from tests.scenarios.runner import PACKS
from tests.support.events import NOON_MS, Feed, numbered, use
from tests.support.made_up import Step, play, steps
from tests.support.memory import Log, MemoryVersions
from tests.support.shops import SHOP, SHOP_BUSY, SHOP_TOMORROW, LeaningVersions, load

_ARMS = "holdout_ratio: 0.3\narms: {random: 0.2, model_only: 0.2}\n"
_TRIED = """exploration: {gamma: 2, floor: 0.05, discovery: 0.5}
ramp: {from: 0.01, full_after: 10}
"""
_IN_ARMS = SHOP.replace("holdout_ratio: 0.2\nexploration: {gamma: 2}\n", _ARMS + _TRIED)
# Two more service actions, so that several compete, one of them at a moment with a slate.
_MORE = """      - {id: second_answer, moments: [ticket_opened, browsing], value: 0,
         treatments: [{id: note, channel: app, message: "Here too"},
                      {id: letter, channel: email, message: "Here too"}]}
"""
CATALOGUES = [load(_IN_ARMS), load(_IN_ARMS + _MORE), load(SHOP_TOMORROW)]
BUSY = [load(_IN_ARMS + _MORE + SHOP_BUSY.removeprefix(SHOP))]


def service_of(catalogue: Catalogue) -> set[str]:
    return {action.id for action in catalogue.actions if action.purpose == "service"}


def check_owed(decision: Decision, catalogue: Catalogue) -> None:
    """Assert what is owed, from the record of the decision alone."""
    service = service_of(catalogue)
    rows = list(zip(decision.actions, decision.fates, decision.probabilities, strict=True))
    standing = {name for name, fate, _ in rows if fate == "candidate"}
    dropped = {fate.partition(":")[0] for name, fate, _ in rows if name in service}
    # By the catalogue's rules and the way to the customer, never by what is new or tried out.
    assert dropped <= {
        *("candidate", "eligibility", "applicability", "suitability"),
        *("contact", "time", "volume", "slate"),
    }
    owed = standing & service
    if not owed:
        assert "no_action" in standing
        return
    assert standing == owed
    assert decision.chosen in owed
    assert decision.published
    assert all((chance > 0) == (name in owed) for name, _, chance in rows)
    if len(owed) == 1:
        assert decision.action_probability == 1.0


@pytest.mark.parametrize("catalogues", [CATALOGUES, BUSY], ids=["arms", "slates"])
@settings(max_examples=25)
@given(made=steps(longest=200, customers=4))
def test_one_service_action_is_sent_wherever_one_is_eligible_and_a_channel_is_open(
    catalogues: list[Catalogue], made: list[Step]
) -> None:
    versions = LeaningVersions(*catalogues)
    log = play(made, versions, catalogues)
    sent: dict[tuple[int, str, str], int] = defaultdict(int)
    for decision in log.out.decisions:
        catalogue = versions.catalogue(decision.catalogue_version)
        check_owed(decision, catalogue)
        place = (log.decided_at[decision.decision_id], decision.customer, decision.moment)
        sent[place] += decision.chosen in service_of(catalogue)
    assert max(sent.values(), default=0) <= 1
    published = {action.decision_id for action in log.out.actions}
    assert published == {d.decision_id for d in log.out.decisions if d.published}


_OWN_ARMS = re.compile(r"^(holdout_ratio|arms):.*$", re.MULTILINE)


class Taught(MemoryVersions):
    """The versions of a model that learns while the log goes on."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(catalogue)
        self.snapshots: dict[str, Snapshot] = {}

    def scorer(self, model: str, version: str | None, actions: Sequence[ActionKey]) -> Scorer:
        if version is None:
            return prior_scorer(actions, self.prior)
        return linear_scorer(self.snapshots[version], actions, FEATURE_VERSION)


@pytest.mark.parametrize("name", ["shop", "grocer", "streaming", "bank", "saas"])
def test_after_2400_tickets_with_hardly_a_click_every_one_is_still_answered(name: str) -> None:
    """A click on "we have your question" is rare; it is owed all the same, in every arm."""
    text = (PACKS / f"{name}.yaml").read_text("utf-8")
    catalogue = load(_ARMS + _OWN_ARMS.sub("", text))
    versions, feed, chance = Taught(catalogue), Feed(), Random(name)
    log, bank = Log(versions), Bank(catalogue.model, FEATURE_VERSION, FEATURE_NAMES)
    log.play(numbered([use(catalogue)]))
    end, arms = 1, Counter[str]()
    customers = [f"c{number}" for number in range(400)]
    for turn in range(6):
        # Far enough apart for every limit's window and every suppression's term to be over.
        at_ms = NOON_MS + turn * 400 * DAY_MS
        opened = [
            feed.support(who, at_ms + place, ticket_id=f"{who}-{turn}")
            for place, who in enumerate(customers)
        ]
        out = log.play(numbered(opened, end))
        end += len(opened)
        assert len(out.decisions) == len(out.actions) == len(customers)
        for decision in out.decisions:
            assert decision.chosen in service_of(catalogue)
            arms[decision.arm] += 1
        later: list[TimelineRecord] = []
        for action in out.actions:
            if chance.random() < 0.02:
                clicked_ms = action.decided_at_ms + HOUR_MS
                later.append(feed.outcome(action.customer, clicked_ms, "click", action.decision_id))
        later += [
            feed.support(who, at_ms + 2 * HOUR_MS, "resolved", ticket_id=f"{who}-{turn}")
            for who in customers
        ]
        # Its answers come and go; what is resolved is followed up by the same law.
        out = log.play(numbered([*later, Tick(at_ms + 10 * DAY_MS)], end))
        end += len(later) + 1
        followed = [d for d in out.decisions if d.moment == "ticket_resolved"]
        assert len(followed) == len(customers)
        assert all(d.published and d.chosen in service_of(catalogue) for d in followed)
        assert isinstance(later[0], Outcome)
        for lesson in out.lessons:
            bank.learn_one(lesson, bank.next_lesson_offset)
        snapshot = take(bank)
        versions.snapshots[snapshot.version] = snapshot
        log.play([(end, Switch("model", catalogue.model, snapshot.version))])
        end += 1
    assert bank.overall.lessons >= 2_400
    assert sum(arms.values()) == 2_400
    assert set(arms) == set(ARMS)
