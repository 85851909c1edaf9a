"""The lag of each partition, and the partitions that have stalled.

A partition is stalled if its role has records to read, or work to commit, and its position does not
move for `stall_ms`. A role without input is healthy. The end of a partition and the position are
compared every two seconds, so a record that has just arrived does not count as a stall.

Lag counts records up to the last stable offset. Records that an open transaction holds back are
counted separately; they stall no role.
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

_CHECK_INTERVAL_S = 2.0
_ASK_TIMEOUT_S = 5.0

Offsets = Mapping[Partition, int]

log = logging.getLogger("concierge.brokers")


@dataclass(frozen=True)
class StalledPartition:
    """A partition of a role whose offset did not move for `for_s` s, with `behind` records due."""

    role: str
    tp: Partition
    what: str
    position: int
    behind: int
    for_s: float

    def __str__(self) -> str:
        return (
            f"{self.role}: {self.tp.topic}/{self.tp.partition} has {self.what} at "
            f"{self.position} for {self.for_s:.0f} s with {self.behind} records waiting"
        )


class StallDetector:
    """Remembers since when each offset has not moved although there is work.

    `commits_every_s` is, by role, the time in seconds that work may wait for its checkpoint.
    """

    def __init__(self, stall_s: float, commits_every_s: Mapping[str, float]) -> None:
        self._stall_s = stall_s
        self._commits_every_s = commits_every_s
        self._since: dict[tuple[str, Partition, str], tuple[int, float]] = {}

    def find(self, progress: Progress, ends: Offsets, now_s: float) -> list[StalledPartition]:
        """Return the stalled partitions; `ends` are the last stable offsets, `now_s` any clock."""
        found = []
        watched = set()
        for role, work in progress.roles.items():
            for tp, at in work.partitions.items() if work.recovered else ():
                commit_allowed_s = self._stall_s + self._commits_every_s.get(role, 0.0)
                goals = (
                    ("not been read on", at.position, ends.get(tp, at.position), self._stall_s),
                    ("not been committed", at.committed, at.position, commit_allowed_s),
                )
                for what, position, goal, allowed_s in goals:
                    key = (role, tp, what)
                    watched.add(key)
                    for_s = self._unmoved_for(key, position, goal, now_s)
                    if for_s > allowed_s:
                        behind = goal - position
                        found.append(StalledPartition(role, tp, what, position, behind, for_s))
        self._since = {key: held for key, held in self._since.items() if key in watched}
        return found

    def _unmoved_for(
        self, key: tuple[str, Partition, str], position: int, goal: int, now_s: float
    ) -> float:
        before, since_s = self._since.get(key, (position, now_s))
        if position != before or position < 0 or goal <= position:
            since_s = now_s
        self._since[key] = (position, since_s)
        return now_s - since_s


class LagWatch:
    """Updates `lag`, `held_back`, `stalled` and their gauges every two seconds.

    `unknown` says which ends could not be read, and why. While no broker answers, nothing counts as
    stalled; after the configured time `broker_silence` (and the log) says so. A single partition
    without an answer (it is new, or has no leader) is not a silence. `failed` gets the error that
    ends the updates.
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
        self._stalls = StallDetector(settings.stall_ms / 1000, _commit_intervals_s(settings))
        self._task: asyncio.Task[None] | None = None
        # /healthz reports unreachable brokers; this client must not log them every second.
        self._admin = AdminClient({**librdkafka_config(settings), "log_level": 2})
        self._asked_topic = TIMELINE.with_prefix(settings.topic_prefix).name
        self._held_since: dict[Partition, tuple[int, float]] = {}
        self.lag: dict[Partition, int] = {}
        self.held_back: dict[Partition, int] = {}
        self.stalled: list[StalledPartition] = []
        self.unknown = ""
        self.broker_silence = ""
        self._answered_at_s = clock_s()
        self._began_at_s = time.time()

    async def start(self) -> None:
        """Start the updates."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop the updates."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def refresh(self) -> None:
        """Update once: request the ends of all partitions and compare them with the positions."""
        positions = {
            tp: at.position
            for role in self._progress.roles.values()
            for tp, at in role.partitions.items()
        }
        try:
            ends, self.unknown = await asyncio.to_thread(self._ask, sorted(positions))
            answered = True
        except KafkaException as error:
            answered, ends, self.unknown = False, {}, error.args[0].str()
        self._note(positions, ends, answered)
        self._note_silence(answered)

    def _ask(self, partitions: list[Partition]) -> tuple[Ends, str]:
        if partitions:
            return ask_ends(self._admin, partitions, _ASK_TIMEOUT_S)
        # No partition is assigned; any request shows whether the brokers answer.
        self._admin.list_topics(self._asked_topic, timeout=_ASK_TIMEOUT_S)
        return {}, ""

    async def _run(self) -> None:
        try:
            while True:
                await self.refresh()
                await asyncio.sleep(_CHECK_INTERVAL_S)
        except Exception as error:
            # Otherwise lag and silence would keep their last values, and hide a stall.
            self._failed(error)

    def _note_silence(self, answered: bool) -> None:
        """Note for how long no broker has answered; log the begin and end of a long silence."""
        silent_s = self._clock_s() - self._answered_at_s
        if answered:
            self._answered_at_s = self._clock_s()
            self._metrics.set(BROKERS_AT, time.time())
            if self.broker_silence:
                log.warning("the brokers answer again, after %.0f s", silent_s)
            self.broker_silence = ""
        elif silent_s >= self._settings.broker_silence_ms / 1000:
            first = not self.broker_silence
            self.broker_silence = (
                f"no answer from the brokers ({self._settings.bootstrap}) for {silent_s:.0f} s"
            )
            if first:
                log.error("%s; nothing is committed until they answer", self.broker_silence)

    def _note(self, positions: Offsets, ends: Ends, answered: bool) -> None:
        now = {
            tp: max(0, ends[tp].readable - position)
            for tp, position in positions.items()
            if tp in ends and position >= 0
        }
        for tp in self.lag.keys() - now.keys():
            self._metrics.remove(LAG, tp.topic, str(tp.partition))
            self._metrics.remove(HELD_BACK, tp.topic, str(tp.partition))
        for tp, records in now.items():
            self._metrics.set(LAG, records, tp.topic, str(tp.partition))
            held_s = self._held_for(tp, ends[tp])
            self._metrics.set(HELD_BACK, held_s, tp.topic, str(tp.partition))
        for name, role in self._progress.roles.items():
            for tp, at in role.partitions.items():
                at.readable_end = ends[tp].readable if tp in ends else -1
            # A role that never completes a checkpoint is late from the start on.
            at_s = role.last_checkpoint_at_ms / 1000 or self._began_at_s
            self._metrics.set(CHECKPOINT_AT, at_s, name)
        self.lag = now
        self.held_back = {tp: end.held_back for tp, end in ends.items() if end.held_back}
        self._held_since = {p: since for p, since in self._held_since.items() if p in ends}
        readable = {tp: end.readable for tp, end in ends.items()}
        found = self._stalls.find(self._progress, readable, self._clock_s())
        self.stalled = found if answered else []

    def _held_for(self, tp: Partition, end: End) -> float:
        """Return for how long one transaction has held back what follows the readable end."""
        now_s = self._clock_s()
        readable, since_s = self._held_since.get(tp, (end.readable, now_s))
        if not end.held_back or readable != end.readable:
            since_s = now_s
        self._held_since[tp] = end.readable, since_s
        return now_s - since_s


def _report(error: BaseException) -> None:
    log.error("lag and stalls are no longer updated", exc_info=error)


def _commit_intervals_s(settings: Settings) -> dict[str, float]:
    every_ms = settings.checkpoint_interval_ms
    # Learn commits no further than its last snapshot.
    learn_ms = every_ms + settings.snapshot_interval_ms
    return {"intake": every_ms / 1000, "decide": every_ms / 1000, "learn": learn_ms / 1000}
