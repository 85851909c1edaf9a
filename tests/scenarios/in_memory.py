"""The first driver of the scenarios: the gate and the engine in memory, no broker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from schemas.bundled import bundled_schemas
from schemas.records import Origin, Rejection, Tick, TimelineRecord
from streams.core.admission.admit import admit
from streams.core.engine.engine import Outputs
from tests.scenarios.runner import SMALL_SHOP, Result, catalogue
from tests.support.events import use
from tests.support.memory import Log, MemoryStore, MemoryVersions

# Later than every event of the scenarios, so that none of them is refused as too early.
ARRIVAL_MS = 1_735_689_600_000


class InMemory:
    """Admits records and advances the engine; restarts it from stored state at every tick."""

    def __init__(self, pack: str = SMALL_SHOP) -> None:
        self.rejections: list[Rejection] = []
        used = catalogue(pack)
        self._log = Log(MemoryVersions(used))
        self._out = Outputs()
        self._offsets: Counter[str] = Counter()
        self._end = 0
        self._write(use(used))

    def send(self, topic: str, payload: bytes) -> None:
        """Admit one record and decide what it makes due."""
        origin = Origin(topic, 0, self._offsets[topic], ARRIVAL_MS)
        self._offsets[topic] += 1
        event = admit(topic, payload, origin, bundled_schemas())
        if isinstance(event, Rejection):
            self.rejections.append(event)
        else:
            self._write(event)

    def tick(self, at_ms: int) -> None:
        """Let time pass; what is stored must be all that the engine needs."""
        self._log.restart()
        self._write(Tick(at_ms))

    def collect(self) -> Sequence[Result]:
        """Return every decision so far with its action."""
        actions = {action.decision_id: action for action in self._out.actions}
        return [(actions.get(d.decision_id), d) for d in self._out.decisions]

    @property
    def outputs(self) -> Outputs:
        """Everything the engine has put out so far, but for lessons."""
        return self._out

    @property
    def store(self) -> MemoryStore:
        """What is stored of its customers."""
        return self._log.store

    def _write(self, record: TimelineRecord) -> None:
        out = self._log.play([(self._end, record)])
        self._end += 1
        self._out.actions += out.actions
        self._out.decisions += out.decisions
        self._out.notes += out.notes
