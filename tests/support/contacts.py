"""A shop in which each moment has its own way to the customer, and somebody to try it on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from schemas.records import Decision, NextBestAction, Tick, TimelineRecord
from streams.core.state.customer import CustomerState
from tests.support.events import Feed, use
from tests.support.memory import Log, MemoryVersions
from tests.support.shops import load

ADA = "ada"
SHOP = """
name: Many ways
currency: EUR
holdout_ratio: 0
exploration: {gamma: 1000000}
cool_down_seconds: 0
consent: {marketing: opt_out, personalization: opt_out}
families: [tea, coffee]
issues:
  - id: offers
    purpose: marketing
    reward: {outcomes: [accept], window_hours: 1}
    valid_hours: 1
    families:
      - id: tea
        actions:
          - {id: tea_shelf, moments: [browsing, searching], value: 2,
             treatments: [{id: shelf, channel: web, message: "Tea"}]}
      - id: coffee
        actions:
          - {id: coffee_shelf, moments: [searching], value: 1,
             treatments: [{id: shelf, channel: web, message: "Coffee"}]}
  - id: reaching_out
    purpose: marketing
    reward: {outcomes: [accept], window_hours: 1}
    valid_hours: 1
    actions:
      - {id: letter, moments: [order_placed, cart_left, gone_quiet], value: 2,
         treatments: [{id: letter, channel: email, message: "Read"}]}
      - {id: letter_or_note, moments: [refunded], value: 2,
         treatments: [{id: letter, channel: email, message: "Read"},
                      {id: note, channel: app, message: "Look"}]}
      - {id: letter_or_call, moments: [signed_up], value: 2,
         treatments: [{id: text, channel: sms, message: "Read"},
                      {id: call, channel: call_center, message: "Call"}]}
  - id: owed
    purpose: service
    reward: {outcomes: [accept], window_hours: 1}
    valid_hours: 1
    actions:
      - {id: answer, moments: [ticket_opened, ticket_resolved], value: 2,
         treatments: [{id: letter, channel: email, message: "We heard you"}]}
"""


def ms(text: str, zone: str = "UTC") -> int:
    """Return epoch milliseconds of a wall-clock time in a zone."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Answer:
    """One decision: the action published, if any, and what became of all of them."""

    action: NextBestAction | None
    decision: Decision

    @property
    def chosen(self) -> str:
        """Return the chosen action's id, or "no_action"."""
        return self.decision.chosen

    def fate(self, action: str) -> str:
        """Return what became of an action."""
        return dict(zip(self.decision.actions, self.decision.fates, strict=True))[action]


class Ways:
    """Ada and her timeline, under the shop with some contact rules on top."""

    def __init__(self, rules: str = "", shop: str = SHOP) -> None:
        catalogue = load(f"{shop.rstrip()}\n{rules}\n")
        self.feed = Feed()
        self.log = Log(MemoryVersions(catalogue))
        self._end = 0
        self.write(use(catalogue))

    @property
    def state(self) -> CustomerState:
        """Return what is remembered of Ada."""
        return self.log.store.states[ADA]

    def write(self, record: TimelineRecord) -> list[Answer]:
        """Append a record to the timeline; return what was decided."""
        out = self.log.play([(self._end, record)])
        self._end += 1
        actions = {action.decision_id: action for action in out.actions}
        return [Answer(actions.get(d.decision_id), d) for d in out.decisions]

    def _one(self, record: TimelineRecord) -> Answer:
        (answer,) = self.write(record)
        return answer

    def tick(self, at_ms: int) -> list[Answer]:
        """Let time pass, of a worker that was restarted just before."""
        self.log.restart()
        return self.write(Tick(at_ms))

    def lives_in(self, zone: str, at_ms: int = 1_000) -> None:
        """Tell Ada's time zone."""
        self.write(self.feed.profile(ADA, at_ms, "contact_setting", time_zone=zone))

    def browse(self, at_ms: int) -> Answer:
        """One view: `tea_shelf` on the web."""
        return self._one(self.feed.click(ADA, at_ms))

    def search(self, at_ms: int) -> Answer:
        """One search: `tea_shelf`, or else `coffee_shelf`, on the web."""
        return self._one(self.feed.click(ADA, at_ms, "search"))

    def order(self, at_ms: int) -> Answer:
        """One order of tea: `letter`."""
        return self._one(self.feed.order(ADA, at_ms))

    def refund(self, at_ms: int) -> Answer:
        """One refund: `letter_or_note`, by e-mail or else in the app."""
        return self._one(self.feed.order(ADA, at_ms, kind="refund"))

    def sign_up(self, at_ms: int) -> Answer:
        """A sign-up: `letter_or_call`, by text or else by a person."""
        return self._one(self.feed.profile(ADA, at_ms, "signed_up"))

    def ticket(self, at_ms: int, kind: str = "opened", **more: object) -> list[Answer]:
        """A step of a ticket: the service message `answer` where it opens or closes."""
        return self.write(self.feed.support(ADA, at_ms, kind, **more))

    def answers(self, answer: Answer, kind: str, at_ms: int, **more: object) -> None:
        """Send an outcome of a published action."""
        decision_id = answer.decision.decision_id
        self.write(self.feed.outcome(ADA, at_ms, kind, decision_id, **more))
