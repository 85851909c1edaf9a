"""Learn: models learn lessons; a checkpoint publishes new versions of them.

In: lessons, and published snapshots at the start. Out: at a cut, due snapshots and the switches to
them. The surprise: only what a durable snapshot has learned is committed, so offsets may be far
behind the lessons learned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from schemas.records import ENCODER, LESSON_DECODER, MODEL, Lesson, Switch
from schemas.topics import LESSONS, MODEL_SNAPSHOTS
from streams.shell.exits import ConfigExit
from streams.shell.kafka_records import Chunk, Partition, RawRecord, Write
from streams.shell.runner.checkpoint import Cut
from streams.shell.runner.role import Sender, numbers_of
from streams.shell.versions.leader import Timeline
from streams.shell.versions.version_store import snapshot_key

# Lessons learned at a time, in a few milliseconds: a tick may settle thousands of lessons, and
# decisions of the same process must not wait for all of them.
BATCH = 32


class Model(Protocol):
    """What learn asks of a model (`models.learning.bank.Bank`)."""

    @property
    def name(self) -> str:
        """Return the model's name."""

    @property
    def lessons_partition(self) -> int:
        """Return which partition its lessons are in."""

    @property
    def next_lesson_offset(self) -> int:
        """Return the offset after the last lesson learned."""

    def learn_one(self, lesson: Lesson, offset: int) -> object:
        """Learn one lesson; an offset learned before changes nothing."""


@dataclass(frozen=True)
class ModelStore:
    """How models are created, restored and published."""

    new: Callable[[str, int], Model]
    """Return an untrained model by name and lessons partition."""
    restore: Callable[[str, bytes], Model | None]
    """Return the model of a snapshot by its name, None if it cannot be used."""
    snapshot: Callable[[Model], tuple[str, bytes]]
    """Return a model's version and snapshot."""
    published: Callable[[], Awaitable[Mapping[str, Mapping[str, bytes]]]]
    """Return all published snapshots: model -> version -> bytes."""
    recount: Callable[[Collection[int]], Awaitable[None]] | None = None
    """Count the past lessons of these partitions again, for the experiment's metrics."""
    learners_of: Callable[[str], Sequence[str]] = lambda model: (model,)
    """Return the names of all models that learn a model's lessons, the one in use first."""


@dataclass(frozen=True)
class LearnOptions:
    """When learn publishes, and under which prefix its topics are.

    A snapshot is due after `every_lessons` lessons or `interval_ms`; the newest `keep` are kept.
    """

    every_lessons: int
    interval_ms: int
    keep: int
    prefix: str = ""


class ForeignLesson(ConfigExit):
    """The lessons topic has a record that is no lesson."""


@dataclass
class _Learning:
    """A model that learns; `safe_offset` is the next lesson of its last durable snapshot."""

    model: Model
    safe_offset: int
    versions: list[str]
    published_at_ms: int
    cut_offset: int = -1
    cut_version: str = ""

    @property
    def waiting(self) -> int:
        return self.model.next_lesson_offset - max(self.safe_offset, self.cut_offset)


class Learn:
    """The role that owns the models: one writer for each, found by its lessons' partition.

    `on_lesson` is called with each lesson and what learning it returned.
    """

    name = "learn"

    def __init__(
        self,
        models: ModelStore,
        outbox: Sender,
        timeline: Timeline,
        now_ms: Callable[[], int],
        options: LearnOptions,
        on_lesson: Callable[[Lesson, object], None] = lambda lesson, progress: None,
    ) -> None:
        self.topics = (LESSONS.with_prefix(options.prefix).name,)
        self._snapshots = MODEL_SNAPSHOTS.with_prefix(options.prefix).name
        self._models = models
        self._outbox = outbox
        self._timeline = timeline
        self._now_ms = now_ms
        self._options = options
        self._on_lesson = on_lesson
        self._learning: dict[str, _Learning] = {}

    async def work(self, *chunks: Chunk) -> None:
        """Learn the chunks' lessons, each partition's in order."""
        for chunk in chunks:
            for first in range(0, len(chunk.records), BATCH):
                self._learn(chunk.tp, chunk.records[first : first + BATCH])
                # Other roles may share the event loop.
                await asyncio.sleep(0)

    def _learn(self, partition: Partition, records: Sequence[RawRecord]) -> None:
        for record in records:
            lesson = _decode(partition, record.offset, record.value)
            in_use, *challengers = self._models.learners_of(lesson.model)
            model = self._model(in_use, partition.partition, record.offset)
            self._on_lesson(lesson, model.learn_one(lesson, record.offset))
            for name in challengers:
                self._model(name, partition.partition, record.offset).learn_one(
                    lesson, record.offset
                )

    def _model(self, name: str, partition: int, offset: int) -> Model:
        learning = self._learning.get(name)
        if learning is None:
            model = self._models.new(name, partition)
            learning = self._learning[name] = _Learning(model, offset, [], self._now_ms())
        return learning.model

    async def assigned(
        self, positions: Mapping[Partition, int], new: Collection[Partition]
    ) -> Mapping[Partition, int]:
        """Restore each model's newest usable snapshot, which holds its next lesson offset.

        The committed offsets are safe for every model, and each model skips lessons that it has
        learned. If the newest snapshot cannot be used, the lessons since an older one are learned
        again.
        """
        starts = dict(positions)
        mine = numbers_of(self.topics[0], positions)
        if self._models.recount is not None:
            await self._models.recount(mine)
        for name, versions in (await self._models.published()).items():
            newest, model = self._restored(name, versions)
            if model is None:
                # Its lessons' partition is unknown, so each worker reads all its own partitions
                # again.
                starts = dict.fromkeys(starts, 0)
                continue
            if model.lessons_partition not in mine:
                continue
            if newest != max(versions):
                partition = Partition(self.topics[0], model.lessons_partition)
                starts[partition] = min(starts[partition], model.next_lesson_offset)
            self._learning[model.name] = _Learning(
                model, model.next_lesson_offset, sorted(versions), self._now_ms()
            )
            # A worker may have ended between snapshot and switch; a second switch has no effect.
            self._timeline.send_to_all(self._outbox, Switch(MODEL, model.name, newest))
        await self._outbox.publish()
        return starts

    def _restored(self, name: str, versions: Mapping[str, bytes]) -> tuple[str, Model | None]:
        for version in sorted(versions, reverse=True):
            model = self._models.restore(name, versions[version])
            if model is not None:
                return version, model
        return "", None

    def revoked(self) -> None:
        """Drop the models: the next assignment restores them from snapshots."""
        self._learning.clear()

    def cut(self, positions: Mapping[Partition, int]) -> Cut:
        """Return due snapshots, then the switches to them; commit only what snapshots hold."""
        now_ms = self._now_ms()
        safe = dict(positions)
        snapshots: list[Write] = []
        announcements: list[Write] = []
        for learning in self._learning.values():
            partition = Partition(self.topics[0], learning.model.lessons_partition)
            if self._is_due(learning, now_ms):
                version, data = self._models.snapshot(learning.model)
                learning.cut_offset = learning.model.next_lesson_offset
                learning.cut_version = version
                snapshots.append(
                    Write(self._snapshots, snapshot_key(learning.model.name, version), data)
                )
                announcements += self._announce(learning, version)
            if partition in safe and learning.waiting > 0:
                safe[partition] = min(safe[partition], learning.safe_offset)
        return Cut(safe, (snapshots, announcements) if snapshots else ())

    def written(self, cut: Cut) -> None:
        """Note that the snapshots of the cut are durable."""
        now_ms = self._now_ms()
        for learning in self._learning.values():
            if learning.cut_offset > learning.safe_offset:
                learning.safe_offset = learning.cut_offset
                learning.published_at_ms = now_ms
                learning.versions = [*learning.versions, learning.cut_version][
                    -self._options.keep :
                ]

    def _is_due(self, learning: _Learning, now_ms: int) -> bool:
        if learning.cut_offset > learning.safe_offset:
            # The last cut was refused and its snapshot never written, so it is due again.
            learning.cut_offset = -1
        waited_ms = now_ms - learning.published_at_ms
        return learning.waiting >= self._options.every_lessons or (
            learning.waiting > 0 and waited_ms >= self._options.interval_ms
        )

    def _announce(self, learning: _Learning, version: str) -> list[Write]:
        name = learning.model.name
        # The new version counts, too. A negative stop would count from the end.
        old = learning.versions[: max(len(learning.versions) + 1 - self._options.keep, 0)]
        tombstones = [Write(self._snapshots, snapshot_key(name, each), None) for each in old]
        value = ENCODER.encode(Switch(MODEL, name, version))
        switches = [
            Write(self._timeline.topic, None, value, number)
            for number in range(self._timeline.partitions)
        ]
        return tombstones + switches


def _decode(partition: Partition, offset: int, value: bytes | None) -> Lesson:
    try:
        return LESSON_DECODER.decode(value or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ForeignLesson(
            f"{partition.topic}/{partition.partition} offset {offset} is no lesson ({error}): "
            "another program writes to this topic"
        ) from error
