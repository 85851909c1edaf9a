"""One story for a worker that dies in the middle of it, and all that there is to see at its end."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.records import NextBestAction
from schemas.topics import INPUTS, NEXT_BEST_ACTIONS, TIMELINE
from schemas.wire import decode_action
from streams.shell.process.serve import EXIT_OK
from tests.integration.world import Given, World
from tests.integration.world_input import DAY_MS, HOUR_MS, START_MS, InputMaker
from tests.integration.world_worker import Worker
from tests.oracle.evidence import Evidence, gather

SALT = "story"
OPENING_ENDS_MS = START_MS + 12 * HOUR_MS
MIDDLE_ENDS_MS = START_MS + 10 * DAY_MS
END_MS = START_MS + 12 * DAY_MS
_SLICES = 20


@dataclass(frozen=True)
class Told:
    """A story that was told to its end; the worker has ended with `exit_code`."""

    world: World
    sent: int
    behind_when_killed: int
    exit_code: int
    evidence: Evidence


def tell(world: World, count: int, seed: int, failpoint: str) -> Told:
    """Send `count` records in three acts to a worker that is killed in the second.

    With a `failpoint` it dies there, else wherever it is when it has done a part of its work.
    """
    teller = _Teller(world, InputMaker(count, seed), failpoint)
    teller.open(count * 3 // 10)
    behind = teller.die_in_the_middle(count * 5 // 10)
    teller.end(count - teller.sent)
    code = teller.worker.terminate()
    return Told(world, teller.sent, behind, code, gather(world, END_MS, SALT))


class _Teller:
    def __init__(self, world: World, maker: InputMaker, failpoint: str) -> None:
        self._world, self._maker, self._failpoint = world, maker, failpoint
        self.sent = 0
        world.create_topics()
        self.worker: Worker = world.start(salt=SALT)
        self.worker.await_ready()

    def open(self, count: int) -> None:
        """Play half a day; then come the answers to everything that was published in it."""
        self._play(self._maker.act(count, START_MS, OPENING_ENDS_MS), START_MS, 4 * HOUR_MS)
        self._world.await_read(self.worker, "intake")
        self._world.await_read(self.worker, "decide")
        # None of these decisions is settled yet: the windows are longer than the ticks went on.
        pending = [action for action in self._published() if action.decided_at_ms >= START_MS]
        self._send(self._maker.answers(pending, OPENING_ENDS_MS))
        self._world.await_read(self.worker, "intake")

    def die_in_the_middle(self, count: int) -> int:
        """Play ten days; kill the worker half-way. Return how much it had still to read."""
        half = (MIDDLE_ENDS_MS + OPENING_ENDS_MS) // 2
        span_ms = half - OPENING_ENDS_MS
        self._play(self._maker.act(count // 3, OPENING_ENDS_MS, half), OPENING_ENDS_MS, span_ms)
        self._die_of(self._maker.act(count // 3, half, half + DAY_MS))
        ends = self._world.ends((*INPUTS, TIMELINE))
        committed = self._world.committed()
        behind = sum(end - committed[place] for place, end in ends.items())
        self.worker = self._world.start(salt=SALT)
        rest = count - 2 * (count // 3)
        self.worker.await_ready()
        self._play(self._maker.act(rest, half + DAY_MS, MIDDLE_ENDS_MS), half, span_ms)
        self._world.await_read(self.worker, "intake")
        return behind

    def _die_of(self, records: Sequence[Given]) -> None:
        if self._failpoint:
            assert self.worker.terminate() == EXIT_OK, self.worker.said()
            # No checkpoint before there is something to lose.
            self.worker = self._world.start(
                salt=SALT,
                failpoint=self._failpoint,
                checkpoint_interval_ms=600_000,
                checkpoint_max_events=300,
            )
            self.worker.await_ready()
            self._send(records)
            assert self.worker.ended() == -signal.SIGKILL, self.worker.said()
            return
        self._send(records)
        decided = sum(self.worker.positions("decide").values())
        self.worker.await_true(
            lambda: sum(self.worker.positions("decide").values()) > decided + len(records) // 4,
            "decide to be in the middle of it",
        )
        self.worker.kill()

    def end(self, count: int) -> None:
        """Forget those who ask for it, play two days more, and let the time be up."""
        erasures = self._maker.erasures(MIDDLE_ENDS_MS)
        self._send(erasures)
        self._world.await_read(self.worker, "intake")
        ending = self._maker.act(count - len(erasures), MIDDLE_ENDS_MS + HOUR_MS, END_MS)
        self._play(ending, MIDDLE_ENDS_MS, DAY_MS)
        self._world.await_read(self.worker, "intake")
        self._world.tick(END_MS)
        self._world.await_settled(self.worker)

    def _play(self, records: Sequence[Given], from_ms: int, tick_span_ms: int) -> None:
        """Send slice after slice with a tick behind each, no further ahead than a slice."""
        size = max(len(records) // _SLICES, 1)
        for first in range(0, len(records), size):
            self._send(records[first : first + size])
            self.worker.await_true(
                lambda: sum(self.worker.positions("intake").values()) >= self.sent - size,
                "intake to keep up",
            )
            self._world.tick(from_ms + tick_span_ms * first // len(records))

    def _send(self, records: Sequence[Given]) -> None:
        self._world.send(records)
        self.sent += len(records)

    def _published(self) -> list[NextBestAction]:
        return [decode_action(m.value() or b"") for m in self._world.read(NEXT_BEST_ACTIONS)]
