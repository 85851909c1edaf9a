"""How far each partition is behind, and whether it stands still with work waiting.

A role that waits for input is healthy; one that has input, or unsaved work, and does not move is
not. Both are looked at often, so that a record that has just arrived is not taken for a stall.

Lag counts what can be read: up to the last stable offset. Records that an open transaction of a
producer holds back are counted apart, and no role is to blame for them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from schemas.topics import TIMELINE
from streams.shell.kafka.client_config import librdkafka_config
from streams.shell.kafka.partition_ends import End, Ends, ask_ends
from streams.shell.kafka_records import Partition
from streams.shell.settings.settings import Settings
from streams.shell.telemetry.metrics import BROKERS_AT, CHECKPOINT_AT, HELD_BACK, LAG, Metrics
from streams.shell.telemetry.progress import Progress

_LOOK_EVERY_S = 2.0
_ASK_TIMEOUT_S = 5.0

Offsets = Mapping[Partition, int]

log = logging.getLogger("concierge.brokers")


@dataclass(frozen=True)
class Standstill:
    """One partition of a role that does not move: at `position`, `behind` records, for `for_s`."""

    role: str
    place: Partition
    what: str
    position: int
    behind: int
    for_s: float

    def __str__(self) -> str:
        return (
            f"{self.role}: {self.place.topic}/{self.place.partition} has {self.what} at "
            f"{self.position} for {self.for_s:.0f} s with {self.behind} records waiting"
        )


class Stalls:
    """Remember since when each position has stood still with something to do.

    `commits_every_s` is, by role, how long work may wait for its checkpoint.
    """

    def __init__(self, stall_s: float, commits_every_s: Mapping[str, float]) -> None:
        self._stall_s = stall_s
        self._commits_every_s = commits_every_s
        self._since: dict[tuple[str, Partition, str], tuple[int, float]] = {}

    def look(self, progress: Progress, ends: Offsets, now_s: float) -> list[Standstill]:
        """Return what has stood still for too long; `ends` are how far can be read."""
        found = []
        watched = set()
        for role, work in progress.roles.items():
            for place, at in work.partitions.items() if work.recovered else ():
                patience_s = self._stall_s + self._commits_every_s.get(role, 0.0)
                goals = (
                    ("not been read on", at.position, ends.get(place, at.position), self._stall_s),
                    ("not been committed", at.committed, at.position, patience_s),
                )
                for what, position, goal, allowed_s in goals:
                    key = (role, place, what)
                    watched.add(key)
                    for_s = self._stood_for(key, position, goal, now_s)
                    if for_s > allowed_s:
                        behind = goal - position
                        found.append(Standstill(role, place, what, position, behind, for_s))
        self._since = {key: held for key, held in self._since.items() if key in watched}
        return found

    def _stood_for(
        self, key: tuple[str, Partition, str], position: int, goal: int, now_s: float
    ) -> float:
        before, since_s = self._since.get(key, (position, now_s))
        if position != before or position < 0 or goal <= position:
            since_s = now_s
        self._since[key] = (position, since_s)
        return now_s - since_s


class LagWatch:
    """Look at the brokers every two seconds; keeps `lag`, `standstills` and the lag gauge fresh.

    `unknown` says what could not be learned. When no broker answers, nothing counts as standing
    still. Once that has lasted for the configured time, `silence` says so in a sentence, and so
    does the log. A partition that alone is not answered for (it was added a moment ago, or its
    leader is away) is no silence. `failed` gets an error that ends the looking.
    """

    def __init__(
        self,
        settings: Settings,
        progress: Progress,
        metrics: Metrics,
        clock_s: Callable[[], float] = time.monotonic,
        failed: Callable[[BaseException], None] | None = None,
    ) -> None:
        self._failed = failed or _report
        self._settings = settings
        self._progress = progress
        self._metrics = metrics
        self._clock_s = clock_s
        self._stalls = Stalls(settings.stall_ms / 1000, _commit_intervals_s(settings))
        self._task: asyncio.Task[None] | None = None
        # Brokers that are away are reported on /healthz, not by this client once a second.
        self._admin = AdminClient({**librdkafka_config(settings), "log_level": 2})
        self._asked_topic = TIMELINE.with_prefix(settings.topic_prefix).name
        self._held_since: dict[Partition, tuple[int, float]] = {}
        self.lag: dict[Partition, int] = {}
        self.held_back: dict[Partition, int] = {}
        self.standstills: list[Standstill] = []
        self.unknown = ""
        self.silence = ""
        self._answered_at_s = clock_s()
        self._began_at_s = time.time()

    async def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> None:
        """Look once: ask the brokers, then compare with how far the roles are."""
        positions = {
            place: at.position
            for role in self._progress.roles.values()
            for place, at in role.partitions.items()
        }
        try:
            ends, self.unknown = await asyncio.to_thread(self._ask, sorted(positions))
            answered = True
        except KafkaException as error:
            answered, ends, self.unknown = False, {}, error.args[0].str()
        self._note(positions, ends, answered)
        self._listen(answered)

    def _ask(self, places: list[Partition]) -> tuple[Ends, str]:
        if places:
            return ask_ends(self._admin, places, _ASK_TIMEOUT_S)
        # Nothing is assigned; whether the brokers answer matters all the same.
        self._admin.list_topics(self._asked_topic, timeout=_ASK_TIMEOUT_S)
        return {}, ""

    async def _run(self) -> None:
        try:
            while True:
                await self.look()
                await asyncio.sleep(_LOOK_EVERY_S)
        except Exception as error:
            # Lag and silence would keep their last values: no one would see a standstill.
            self._failed(error)

    def _listen(self, answered: bool) -> None:
        """Note how long no broker has answered; once when it begins to matter, and when it ends."""
        silent_s = self._clock_s() - self._answered_at_s
        if answered:
            self._answered_at_s = self._clock_s()
            self._metrics.set(BROKERS_AT, time.time())
            if self.silence:
                log.warning("the brokers answer again, after %.0f s", silent_s)
            self.silence = ""
        elif silent_s >= self._settings.broker_silence_ms / 1000:
            first = not self.silence
            self.silence = (
                f"no answer from the brokers ({self._settings.bootstrap}) for {silent_s:.0f} s"
            )
            if first:
                log.error("%s; nothing is committed until they are back", self.silence)

    def _note(self, positions: Offsets, ends: Ends, answered: bool) -> None:
        now = {
            place: max(0, ends[place].readable - position)
            for place, position in positions.items()
            if place in ends and position >= 0
        }
        for place in self.lag.keys() - now.keys():
            self._metrics.forget(LAG, place.topic, str(place.partition))
            self._metrics.forget(HELD_BACK, place.topic, str(place.partition))
        for place, records in now.items():
            self._metrics.set(LAG, records, place.topic, str(place.partition))
            held_s = self._held_for(place, ends[place])
            self._metrics.set(HELD_BACK, held_s, place.topic, str(place.partition))
        for name, role in self._progress.roles.items():
            for place, at in role.partitions.items():
                at.readable_end = ends[place].readable if place in ends else -1
            # A role that never completes a checkpoint is late from the start on.
            at_s = role.last_checkpoint_at_ms / 1000 or self._began_at_s
            self._metrics.set(CHECKPOINT_AT, at_s, name)
        self.lag = now
        self.held_back = {place: end.held_back for place, end in ends.items() if end.held_back}
        self._held_since = {p: since for p, since in self._held_since.items() if p in ends}
        readable = {place: end.readable for place, end in ends.items()}
        found = self._stalls.look(self._progress, readable, self._clock_s())
        self.standstills = found if answered else []

    def _held_for(self, place: Partition, end: End) -> float:
        """Return for how long one transaction has held back what follows the readable end."""
        now_s = self._clock_s()
        readable, since_s = self._held_since.get(place, (end.readable, now_s))
        if not end.held_back or readable != end.readable:
            since_s = now_s
        self._held_since[place] = end.readable, since_s
        return now_s - since_s


def _report(error: BaseException) -> None:
    log.error("lag and standstills are no longer watched", exc_info=error)


def _commit_intervals_s(settings: Settings) -> dict[str, float]:
    every_ms = settings.checkpoint_interval_ms
    # Learn commits no further than its last snapshot.
    learn_ms = every_ms + settings.snapshot_interval_ms
    return {"intake": every_ms / 1000, "decide": every_ms / 1000, "learn": learn_ms / 1000}
