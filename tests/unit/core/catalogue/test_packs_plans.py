"""The packs that sell plans: what is said to who begins, keeps, leaves or renews one."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from schemas.records import Click, Decision, OrderLine, Purchase, Tick, TimelineRecord
from streams.core.units import DAY_MS, HOUR_MS, SECOND_MS
from streams.shell.settings.paths import bundled_catalogue
from tests.support.desk import fates
from tests.support.events import NOON_MS, Feed, numbered, use
from tests.support.memory import Log, MemoryVersions
from tests.support.shops import load


class Customer:
    """A customer of a business that uses a starter pack, of whom none are held out."""

    def __init__(self, pack: str, currency: str, family: str) -> None:
        text = bundled_catalogue(pack).read_text("utf-8")
        catalogue = load(text.replace("holdout_ratio: 0.05", "holdout_ratio: 0"))
        self.log, self._feed, self._end = Log(MemoryVersions(catalogue, prior=0.9)), Feed(), 0
        self._currency, self._family = currency, family
        self.play(use(catalogue))

    def play(self, *records: TimelineRecord) -> list[Decision]:
        out = self.log.play(numbered(records, self._end))
        self._end += len(records)
        return list(out.decisions)

    def plan(self, what: str, at_ms: int) -> Purchase:
        line = OrderLine("plan", self._family, 1.0, 900)
        kind = f"subscription_{what}"
        event = self._feed.order("ada", at_ms, line, kind=kind, order_id="s1")
        return replace(event, currency=self._currency)

    def view(self, at_ms: int) -> Click:
        return self._feed.click("ada", at_ms, family=self._family, channel="web")

    def uses_it(self, at_ms: int) -> list[Click]:
        """Return a visit with enough views that it counts as used, a day before, and one view."""
        visit = at_ms - DAY_MS
        return [*(self.view(visit + number * SECOND_MS) for number in range(20)), self.view(at_ms)]

    def visits_until(self, action: str, at_ms: int) -> int:
        """View once in a few hours until an action is chosen; return when."""
        for visit in range(100):
            visit_ms = at_ms + visit * 5 * HOUR_MS
            decisions = self.play(Tick(visit_ms - 1), self.view(visit_ms))
            if decisions and decisions[-1].chosen == action:
                return visit_ms
        raise AssertionError(f"{action} was never chosen")

    def rewarded(self, action: str) -> bool:
        """Tell whether the decision for an action that awaits its outcome was a success so far."""
        (pending,) = (p for p in self.log.store.states["ada"].pending if p.action == action)
        return pending.rewarded

    def days(self, first: int, last: int) -> list[Decision]:
        """Let days pass; return what was decided meanwhile."""
        return self.play(*(Tick(NOON_MS + day * DAY_MS + 1) for day in range(first, last + 1)))


@pytest.fixture
def software() -> Customer:
    return Customer("saas", "USD", "projects")


def test_who_began_a_plan_is_thanked_when_they_next_come(software: Customer) -> None:
    before, after = software.play(
        software.view(NOON_MS),
        software.plan("start", NOON_MS + HOUR_MS),
        software.view(NOON_MS + 2 * HOUR_MS),
    )
    assert fates(before)["thank_you_and_now"] == "applicability:paid_lately"
    assert fates(after)["thank_you_and_now"] == "candidate"
    renewed = NOON_MS + 30 * DAY_MS
    (later,) = software.play(software.plan("change", renewed), software.view(renewed + HOUR_MS))
    assert fates(later)["thank_you_and_now"] == "applicability:paid_lately"


@pytest.mark.parametrize(
    ("day", "fate"), [(80, "applicability:stays_anyway"), (91, "candidate"), (400, "candidate")]
)
def test_who_kept_a_plan_for_months_may_be_offered_the_year(
    software: Customer, day: int, fate: str
) -> None:
    renewals = [software.plan("change", NOON_MS + at * DAY_MS) for at in range(30, day, 30)]
    software.play(software.plan("start", NOON_MS), *renewals)
    decisions = software.play(*software.uses_it(NOON_MS + day * DAY_MS))
    assert fates(decisions[-1])["save_with_a_year"] == fate


def test_a_renewal_is_no_success_of_an_offer_to_who_pays_already(software: Customer) -> None:
    software.play(software.plan("start", NOON_MS - 60 * DAY_MS), *software.uses_it(NOON_MS))
    chosen_ms = software.visits_until("seats_for_the_team", NOON_MS + HOUR_MS)
    software.play(software.plan("change", chosen_ms + HOUR_MS))
    assert software.rewarded("seats_for_the_team") is False


def test_a_first_plan_is_a_success_of_the_offer_of_one(software: Customer) -> None:
    software.play(*software.uses_it(NOON_MS))
    chosen_ms = software.visits_until("first_plan", NOON_MS + HOUR_MS)
    assert software.rewarded("first_plan") is False
    software.play(software.plan("start", chosen_ms + HOUR_MS))
    assert software.rewarded("first_plan") is True


@pytest.mark.parametrize(("ended", "quiet_again"), [(10, [14]), (20, [14, 34])])
def test_who_stopped_watching_before_their_plan_ended_may_be_asked_back(
    ended: int, quiet_again: list[int]
) -> None:
    viewer = Customer("streaming", "EUR", "drama")
    viewer.play(viewer.plan("start", NOON_MS - 30 * DAY_MS), viewer.view(NOON_MS))
    decisions = viewer.days(1, ended - 1)
    viewer.play(viewer.plan("end", NOON_MS + ended * DAY_MS))
    decisions += viewer.days(ended, 110)
    assert [d.moment for d in decisions] == ["gone_quiet"] * len(quiet_again)
    assert [(d.decided_at_ms - NOON_MS) // DAY_MS for d in decisions] == quiet_again
    assert fates(decisions[-1])["come_back"] == "candidate"
