"""The second driver of the scenarios: a worker behind a broker, embedded or real."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.topics import DECISIONS, NEXT_BEST_ACTIONS
from schemas.wire import decode_action, decode_decision
from tests.integration.world import Given, World
from tests.integration.world_worker import Worker
from tests.scenarios.runner import Result


class OnBrokers:
    """Sends through a worker that other scenarios use too: each has customers of its own."""

    def __init__(self, world: World, worker: Worker) -> None:
        self._world, self._worker = world, worker
        self._topic = ""

    def send(self, topic: str, payload: bytes) -> None:
        """Write one record; topics are read side by side, so a change of topic has to wait."""
        if topic not in ("", self._topic):
            self._world.await_read(self._worker, "intake")
        self._topic = topic
        # One key, one partition: within a topic the order of a scenario's lines is kept.
        self._world.send([Given(topic, b"scenario", payload)])

    def tick(self, at_ms: int) -> None:
        """Write the time behind everything that was sent."""
        self._world.await_read(self._worker, "intake")
        self._world.tick(at_ms)

    def collect(self) -> Sequence[Result]:
        """Return every decision so far with its action."""
        self._world.await_read(self._worker, "intake")
        self._world.await_read(self._worker, "decide")
        published = [decode_action(m.value() or b"") for m in self._world.read(NEXT_BEST_ACTIONS)]
        decided = [decode_decision(m.value() or b"") for m in self._world.read(DECISIONS)]
        actions = {action.decision_id: action for action in published}
        return [(actions.get(decision.decision_id), decision) for decision in decided]
