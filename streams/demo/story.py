"""The closed loop of the demo: a real shop's days, decided on, answered, learned from.

Day by day, in a few slices: send what happened in the slice, let the time pass on the timeline (a
tick), take the actions that were decided, let the simulated customers answer, and carry their
answers into the next slices. Nothing here knows Kafka: a `Road` does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from heapq import heappop, heappush
from typing import NamedTuple, Protocol

from schemas.records import Decision, NextBestAction
from streams.core.catalogue.values import Action, Catalogue
from streams.demo.candidates import candidates_of
from streams.demo.online_retail import Invoice
from streams.demo.simulator import Simulator, days_between
from streams.feed.sent_event import Sent, in_order

DAY_MS = 86_400_000
# Answers that count as a response. Every action of the shop has at least `accept` as a reward.
RESPONSES = frozenset({"click", "accept"})


class StoryDecision(NamedTuple):
    """What came of a slice: the published actions, and all decisions, each in any order."""

    actions: Sequence[NextBestAction]
    decisions: Sequence[Decision]


class Road(Protocol):
    """The transport from events to actions."""

    def send(self, events: Sequence[Sent]) -> None:
        """Take events; they come before the next `pass_time` on the timeline."""

    def pass_time(self, at_ms: int) -> StoryDecision:
        """Let it be `at_ms` on every timeline partition, and return what was decided till then."""


class StoryAnswer(NamedTuple):
    """A published action with what the customer made of it.

    `chance` is the simulator's hidden truth: P(click | seen) at that moment; `random_chance` is
    its mean over all candidates there were, which is what choosing at random would have got.
    `aimed` is false for service: it is owed, so whether it is clicked says nothing of the choice.
    """

    action: NextBestAction
    responded: bool
    chance: float
    random_chance: float
    aimed: bool = True


@dataclass(frozen=True)
class Day:
    """One finished day, for a live display: its own counts and its answered actions."""

    day: date
    events: int
    decisions: int
    outcomes: int
    answered: tuple[StoryAnswer, ...]


@dataclass
class Report:
    """What a run amounted to. Rates are over published marketing in the order of decision."""

    days: int = 0
    events: Counter[str] = field(default_factory=Counter)
    decisions: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    responses: int = 0
    _responded: bytearray = field(default_factory=bytearray)
    _chances: list[float] = field(default_factory=list)
    _random_chances: list[float] = field(default_factory=list)

    @property
    def actions_published(self) -> int:
        """How many actions were published and answered (or left unanswered)."""
        return self.actions.total()

    def response_rate(self, quarter: int) -> float | None:
        """Return the share of the actions of a quarter (0..3) that got a click or an accept.

        Quarters are by number of actions, not by time: each has as many. None without actions.
        """
        part = _quarter(self._responded, quarter)
        return sum(part) / len(part) if part else None

    def expected_rate(self, quarter: int) -> float | None:
        """Return the mean hidden P(click | seen) of a quarter's actions: the same, less noisy."""
        part = _quarter(self._chances, quarter)
        return sum(part) / len(part) if part else None

    def random_rate(self, quarter: int) -> float | None:
        """Return what `expected_rate` would be, had each action been a random candidate."""
        part = _quarter(self._random_chances, quarter)
        return sum(part) / len(part) if part else None

    def add(self, answered: StoryAnswer) -> None:
        """Count one published action."""
        self.actions[answered.action.action] += 1
        self.responses += answered.responded
        if not answered.aimed:
            return
        self._responded.append(answered.responded)
        self._chances.append(answered.chance)
        self._random_chances.append(answered.random_chance)


def _quarter(values: Sequence[float], quarter: int) -> Sequence[float]:
    size = len(values)
    return values[size * quarter // 4 : size * (quarter + 1) // 4]


class Story:
    """Runs the loop. `invoices` are the whole history in order of time, `catalogue` is in use.

    `slices_per_day` ticks are written per day. An answer is sent in the slice after its action's,
    with its own (earlier) event time, so rewards with windows of two slices or more lose nothing.
    """

    def __init__(
        self,
        simulator: Simulator,
        invoices: Iterable[Invoice],
        road: Road,
        catalogue: Catalogue,
        slices_per_day: int = 4,
    ) -> None:
        self._actions: dict[str, Action] = {action.id: action for action in catalogue.actions}
        self._simulator = simulator
        self._road = road
        self._slice_ms = DAY_MS // slices_per_day
        self._by_day: dict[date, list[Invoice]] = {}
        for invoice in invoices:
            self._by_day.setdefault(invoice.day, []).append(invoice)
        self._waiting: list[tuple[tuple[int, str], Sent]] = []
        self.report = Report()

    def run(
        self, days: int | None = None, stop: Callable[[], bool] = lambda: False
    ) -> Iterator[Day]:
        """Play the history day by day and yield each finished day.

        Ends after `days` days, after the last day of the history, or when `stop` says so at the
        end of a slice (the day is then cut short and yielded all the same).
        """
        first, last = self._simulator.first_day, self._simulator.last_day
        for day in days_between(first, last)[:days]:
            finished, stopped = self._play(day, stop)
            yield finished
            if stopped:
                return

    def _play(self, day: date, stop: Callable[[], bool]) -> tuple[Day, bool]:
        report, answered = self.report, []
        events, outcomes, decisions = (
            report.events.total(),
            report.outcomes.total(),
            report.decisions,
        )
        self._wait_for(self._simulator.day(day, self._by_day.get(day, ())))
        start_ms = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
        stopped = False
        for until_ms in range(start_ms + self._slice_ms, start_ms + DAY_MS + 1, self._slice_ms):
            answered += self._play_slice(until_ms)
            if stop():
                stopped = True
                break
        report.days += 1
        finished = Day(
            day,
            report.events.total() - events,
            report.decisions - decisions,
            report.outcomes.total() - outcomes,
            tuple(answered),
        )
        return finished, stopped

    def _play_slice(self, until_ms: int) -> list[StoryAnswer]:
        due = self._take_due(until_ms)
        self._road.send(due)
        for topic, event in due:
            self.report.events[topic] += 1
            if topic == "outcomes":
                self.report.outcomes[event["kind"]] += 1
        decided = self._road.pass_time(until_ms)
        self.report.decisions += len(decided.decisions)
        funnels = {decision.decision_id: decision for decision in decided.decisions}
        # Answers depend on earlier contacts, so the order must not be that of partitions.
        ordered = sorted(decided.actions, key=lambda a: (a.decided_at_ms, a.decision_id))
        return [self._answer(action, funnels[action.decision_id]) for action in ordered]

    def _answer(self, action: NextBestAction, funnel: Decision) -> StoryAnswer:
        chance = self._simulator.click_probability(action)
        chances = [
            self._simulator.click_probability(candidate)
            for candidate in candidates_of(action, funnel, self._actions)
        ]
        sent = self._simulator.respond(action)
        self._wait_for(sent)
        responded = any(t == "outcomes" and event["kind"] in RESPONSES for t, event in sent)
        aimed = self._actions[action.action].purpose != "service"
        answered = StoryAnswer(action, responded, chance, sum(chances) / len(chances), aimed)
        self.report.add(answered)
        return answered

    def _wait_for(self, sent: Iterable[Sent]) -> None:
        for item in sent:
            heappush(self._waiting, (in_order(item), item))

    def _take_due(self, until_ms: int) -> list[Sent]:
        due = []
        while self._waiting and self._waiting[0][0][0] < until_ms:
            due.append(heappop(self._waiting)[1])
        return due
