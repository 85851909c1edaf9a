"""An installation that is to go through a lot: several workers, a story told in rounds, a verdict.

    with ChaosWorld(kafka.bootstrap, folder, events=4_000, seed=1) as world:
        first = world.start()
        world.tell(1_000)          # part of the story, with ticks
        world.kill(first)
        world.start()
        world.tell(1_000)
        world.end()                # the rest, and until nothing is left to be done
        world.judge()

Nothing waits by sleeping: whoever waits looks at offsets and at whether the workers live.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from schemas.records import NextBestAction
from tests.chaos.answers import Published
from tests.chaos.crew import Crew
from tests.integration.world import PARTITIONS, Given, write_catalogue
from tests.integration.world_input import DAY_MS, HOUR_MS, START_MS, InputMaker, unsubscribes
from tests.oracle.evidence import gather
from tests.oracle.verdict import wrongs
from tests.support.shops import SHOP

__all__ = ["PARTITIONS", "ChaosWorld"]

SALT = "chaos"
_DAYS = 12
# A tick comes after this many events, once intake is no further behind than twice as many: topics
# are read side by side, and the story must not tear apart between them by more than that.
_SLICE = 100
# Of a story: told before the end.
_BODY_RATIO = 0.8


class ChaosWorld(Crew):
    """Topics, workers and a story of about `events` events in 12 days, all from one seed.

    `settings` are every worker's, on top of quick ones; those of `start` come on top of them.
    """

    maker = InputMaker

    def __init__(
        self, bootstrap: str, folder: Path, *, events: int, seed: int, **settings: Any
    ) -> None:
        quick = {
            "catalogue_path": write_catalogue(folder, SHOP),
            "salt": SALT,
            "snapshot_every_lessons": 50,
            # The replay must find every version that was ever used.
            "keep_snapshots": 1_000,
        }
        super().__init__(bootstrap, f"x{uuid4().hex[:10]}.", **{**quick, **settings})
        self.seed = seed
        self.chance = random.Random(seed)
        self.sent = 0
        self._events = events
        self._maker = self.maker(events, seed)
        self._story_ms = self._tick_ms = START_MS
        self._unsubscribing: list[NextBestAction] = []
        self._published = Published(self.client, self)

    def __enter__(self) -> Self:
        self.create_topics()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            print(f"\nseed {self.seed}, {self.sent:,} records sent; committed and ends:")
            print(self.how_far())
            for worker in self.alive:
                print(f"--- worker {worker.process.pid} said last:\n{worker.said()[-3_000:]}")
        self._published.close()
        self.close()

    # -- the story -----------------------------------------------------------------------------

    def tell(self, count: int, *, keeping_up: bool = True) -> None:
        """Send the next `count` events of the story with their ticks, and answers to actions.

        With `keeping_up` each slice waits until intake is not far behind; without, nothing waits.
        """
        for first in range(0, count, _SLICE):
            size = min(_SLICE, count - first)
            until_ms = self._story_ms + self._span_ms(size)
            self._send(self._maker.act(size, self._story_ms, until_ms))
            self._send(self._maker.answers(self._answerable(), self._story_ms))
            if keeping_up:
                self.await_admitted(2 * _SLICE)
            self._story_ms = until_ms
            # Behind the story, so that answers have time to come.
            self._tick_ms = max(self._tick_ms, until_ms - 4 * HOUR_MS)
            self.tick(self._tick_ms)

    def tell_until(self, over: Callable[[], bool], what: str) -> None:
        """Tell the story on until something has happened, however long intake stands still."""
        while not over():
            self.tell(_SLICE, keeping_up=False)
            self.await_true(lambda: over() or self.lag("intake") <= 2 * _SLICE, what)

    def flood(self, count: int) -> None:
        """Send the next `count` events of the story as fast as the broker takes them, no ticks."""
        until_ms = self._story_ms + self._span_ms(count)
        # Made first, because making them takes longer than a worker takes for them.
        self._send(self._maker.act(count, self._story_ms, until_ms))
        self._story_ms = until_ms

    def end(self) -> None:
        """Tell the rest: some ask to be forgotten, others go on; then let the time be up."""
        self.await_admitted(0)
        # What an unsubscription closes a consent opens again, so these two must not change places.
        self._send(self._maker.answers(self._unsubscribing, self._story_ms))
        self.await_admitted(0)
        erasures = self._maker.erasures(self._story_ms + HOUR_MS)
        self._send(erasures)
        self.await_admitted(0)
        ending = self._maker.act(
            max(int(self._events * (1 - _BODY_RATIO)) - len(erasures), _SLICE),
            self._story_ms + 2 * HOUR_MS,
            self._story_ms + 2 * DAY_MS,
        )
        # No more than a hundred, each of which waits for a checkpoint, however long the story.
        size = max(len(ending) // 100, _SLICE)
        for first in range(0, len(ending), size):
            self._send(ending[first : first + size])
            self.await_admitted(2 * size)
        self.await_admitted(0)
        self.end_ms = self._story_ms + 2 * DAY_MS
        self.tick(self.end_ms)
        self.await_drained()

    def judge(self) -> None:
        """Assert all that must hold; see `tests.oracle.verdict`."""
        wrong = wrongs(gather(self, self.end_ms, SALT))
        assert not wrong, "\n".join([f"seed {self.seed}:", *wrong])

    def _span_ms(self, count: int) -> int:
        return (_DAYS - 2) * DAY_MS * count // int(self._events * _BODY_RATIO)

    def _send(self, records: Collection[Given]) -> None:
        self.send(records)
        self.sent += len(records)

    def _answerable(self) -> list[NextBestAction]:
        # What is settled already is not answered any more.
        oldest_ms = self._tick_ms - HOUR_MS
        fresh = [a for a in self._published.new() if a.decided_at_ms >= oldest_ms]
        self._unsubscribing += [a for a in fresh if unsubscribes(a.customer)]
        return [a for a in fresh if not unsubscribes(a.customer)]
