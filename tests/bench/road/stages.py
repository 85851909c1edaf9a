"""Where an event's microseconds go: the pure stages, one by one, in this process, without Kafka.

Processor time of this thread, so that a busy machine distorts it little.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from models.learning.bank import Bank
from schemas.bundled import bundled_schemas
from schemas.encoders import Encoders
from schemas.records import (
    ENCODER,
    LESSON_DECODER,
    TIMELINE_DECODER,
    CustomerEvent,
    NextBestAction,
    Origin,
    Rejection,
    Switch,
    Tick,
    TimelineRecord,
)
from schemas.wire import BUNDLED_IDS, decode
from streams.core.admission.admit import admit
from streams.core.decision import (
    decider as deciding,
)
from streams.core.decision.decision_records import Publisher
from streams.core.engine import (
    segment as turns,
)
from streams.core.engine.engine import Engine
from streams.core.policy.contact.contact_policy import ContactPolicy
from streams.core.policy.engagement import EngagementPolicy
from streams.core.state.codec import decode_customer, encode_customer
from streams.core.state.customer import CustomerState
from streams.shell.process.garbage_collector import tune_garbage_collector
from tests.bench.road.catalogue import catalogue
from tests.bench.road.in_process import Clocked, Store, TaughtVersions
from tests.bench.road.traffic import GAP_MS, SPAN_MS, Sent, Traffic

_START_MS = 1_705_320_000_000
_DAY_MS = 86_400_000
# As `streams.agents.decide.BATCH`: one advance of the engine.
_BATCH = 4_096
_TICK_EVERY = 2_000
# No topic has so many: what is sent to these customers later is no repeat of this.
_OTHER_PARTITION = 1_000

# Stages within the engine, and the functions whose calls are timed: by owner and name there.
INNER: tuple[tuple[str, Any, str], ...] = (
    ("fold", turns, "fold"),
    ("settle", turns.Segment, "settle"),
    ("wave", deciding, "Wave"),
    ("features", deciding, "extract"),
    ("policy", EngagementPolicy, "apply"),
    ("contact", ContactPolicy, "apply"),
    ("arbitrate", deciding, "probabilities_of_wave"),
    ("arbitrate", deciding, "choose"),
    ("explain and build outputs", Publisher, "write"),
)


class Budget:
    """The stages' cost over some traffic, in microseconds an event."""

    def __init__(self, events: int, customers: int, actions: int = 20) -> None:
        self.events = events
        self._customers = customers
        self._versions = TaughtVersions(catalogue(actions))
        self._engine = Engine(self._versions, "bench")
        self._store = Store()
        self._offset = 0
        self.actions: list[NextBestAction] = []
        self.decisions = self.lessons = self.state_bytes = self.changed = 0

    def measure(self) -> dict[str, float]:
        """Return microseconds an event by stage; the second half of the traffic is measured."""
        first = Traffic(self._customers, _START_MS, _START_MS + SPAN_MS, 1)
        self._advance(self._admitted(list(first.events(self.events)), Clocked()), Clocked())
        self._switch()
        # As a worker does.
        tune_garbage_collector()
        answerable, self.actions = self.actions, []
        self.decisions = self.lessons = self.state_bytes = self.changed = 0
        begins = _START_MS + GAP_MS
        second = Traffic(self._customers, begins, begins + SPAN_MS, 2, answerable)
        clocked = self._versions.clocked
        events = self._admitted(list(second.events(self.events)), clocked)
        with ExitStack() as stack:
            for name, owner, function in INNER:
                stack.enter_context(
                    patch.object(owner, function, clocked.wrapped(name, getattr(owner, function)))
                )
            self._advance(events, clocked)
        return self._per_event(clocked)

    def rest(self) -> None:
        """Let two quiet days pass: carts were left, what was pending is settled."""
        after_ms = _START_MS + GAP_MS + SPAN_MS
        for day in range(1, 3):
            self._turn([Tick(after_ms + day * _DAY_MS)], Clocked())

    @property
    def states(self) -> dict[str, CustomerState]:
        """The customers' states as they are now."""
        return self._store.states

    @property
    def bank(self) -> Bank:
        """The model as it was taught."""
        return self._versions.bank

    def _admitted(self, sent: Sequence[Sent], clocked: Clocked) -> list[CustomerEvent]:
        payloads = [(each.topic, each.encoded(), each.value["occurred_at"]) for each in sent]
        schemas, admitted = bundled_schemas(), list[CustomerEvent]()
        with clocked.stage("decode Avro"):
            for topic, payload, _ in payloads:
                decode(topic, payload, schemas)
        with clocked.stage("admit (with decode)"):
            for number, (topic, payload, at_ms) in enumerate(payloads):
                origin = Origin(topic, _OTHER_PARTITION, self._offset + number, at_ms)
                event = admit(topic, payload, origin, schemas)
                if isinstance(event, Rejection):
                    raise AssertionError(f"the traffic holds a bad record: {event.detail}")
                admitted.append(event)
        with clocked.stage("timeline encode"):
            encoded = [ENCODER.encode(event) for event in admitted]
        with clocked.stage("timeline decode"):
            for each in encoded:
                TIMELINE_DECODER.decode(each)
        return admitted

    def _advance(self, events: Sequence[CustomerEvent], clocked: Clocked) -> None:
        if self._offset == 0:
            self._turn([Switch("catalogue", "catalogue", self._versions.made.version)], clocked)
        records: list[TimelineRecord] = []
        for number, event in enumerate(events, 1):
            records.append(event)
            if number % _TICK_EVERY == 0:
                records.append(Tick(event.at_ms))
            if len(records) >= _BATCH:
                self._turn(records, clocked)
                records = []
        self._turn(records, clocked)

    def _turn(self, records: Sequence[TimelineRecord], clocked: Clocked) -> None:
        """Do what a decide and a learn worker do for one chunk and its checkpoint."""
        batch = list(enumerate(records, self._offset))
        self._offset += len(batch)
        with clocked.stage("engine (all of it)"):
            out = self._engine.advance(0, batch, self._store)
        encoders = Encoders(BUNDLED_IDS)
        with clocked.stage("encode actions"):
            for action in out.actions:
                encoders.action(action)
        with clocked.stage("encode decisions"):
            for decision in out.decisions:
                encoders.decision(decision)
        with clocked.stage("lessons to bytes and back"):
            lessons = [LESSON_DECODER.decode(ENCODER.encode(lesson)) for lesson in out.lessons]
        with clocked.stage("learn"):
            for lesson in lessons:
                self._versions.bank.learn_one(lesson, self._versions.bank.next_lesson_offset)
        with clocked.stage("state encode"):
            states = [encode_customer(self._store.states[name]) for name in self._store.changed]
        with clocked.stage("state decode (if cold)"):
            for each in states:
                decode_customer(each)
        self.state_bytes += sum(map(len, states))
        self.changed += len(states)
        self._store.changed.clear()
        self.lessons += len(lessons)
        self.actions += out.actions
        self.decisions += len(out.decisions)

    def _switch(self) -> None:
        self._turn([Switch("model", self._versions.made.model, "taught")], Clocked())

    def _per_event(self, clocked: Clocked) -> dict[str, float]:
        spent = {name: s / self.events * 1e6 for name, s in clocked.spent_s.items()}
        spent["admit (with decode)"] -= spent["decode Avro"]
        spent["admit"] = spent.pop("admit (with decode)")
        inner = sum(spent.get(name, 0.0) for name in {"score", *(stage for stage, *_ in INNER)})
        spent["rest of the engine"] = spent.pop("engine (all of it)") - inner
        return spent
