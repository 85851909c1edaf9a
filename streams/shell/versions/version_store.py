"""The bytes of published models and catalogues, by version.

A thread of its own reads both topics from the beginning, without a consumer group.
`compiled_versions` builds catalogues and scorers from the bytes.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from schemas.records import CATALOGUE, MODEL
from streams.shell.exits import WorkerExit
from streams.shell.kafka.topic_reader import partition_count, reader_config

_BATCH = 1_000
_POLL_S = 0.1
# A version is published and acknowledged before the switch that names it. After this wait it counts
# as never published.
_AVAILABLE_WITHIN_S = 30.0
# If a newer version is in the store, this wait is enough to know that an older one was removed.
REMOVED_AFTER_S = 2.0
# The newest catalogues that are kept in memory; their topic keeps all. A partition that needs an
# older one is treated as if that catalogue was removed (`compiled_versions`).
_MAX_CATALOGUES = 256
VersionKey = tuple[str, str, str]

log = logging.getLogger("concierge.versions")


class VersionMissing(WorkerExit):
    """A switch record names a version that is not on its topic."""


def snapshot_key(model: str, version: str) -> bytes:
    """Return the key of a model's snapshot."""
    return f"{model}@{version}".encode()


def parse_version_key(topic_kind: str, key: bytes) -> VersionKey | None:
    """Return (kind, name, version) of a key in one of the two topics; None if it is no UTF-8."""
    try:
        text = key.decode()
    except UnicodeDecodeError:
        return None
    if topic_kind == CATALOGUE:
        return CATALOGUE, CATALOGUE, text
    name, _, version = text.rpartition("@")
    return MODEL, name, version


class VersionStore:
    """Holds the bytes of every published version, and waits for those that are not read yet.

    `failed` is called with the error that ends the reading thread.
    """

    def __init__(
        self,
        client: Mapping[str, Any],
        snapshots_topic: str,
        catalogues_topic: str,
        failed: Callable[[BaseException], None],
        available_within_s: float = _AVAILABLE_WITHIN_S,
    ) -> None:
        self._client = client
        self._kinds = {snapshots_topic: MODEL, catalogues_topic: CATALOGUE}
        self._failed = failed
        self._available_within_s = available_within_s
        self._held: dict[VersionKey, bytes] = {}
        # When each kept catalogue was last published: versions are hashes and have no order.
        self._published_ms: dict[str, int] = {}
        # By model, the newest version that is known to be removed.
        self._removed_up_to: dict[tuple[str, str], str] = {}
        self._waiting: dict[VersionKey, list[asyncio.Future[None]]] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    async def start(self) -> None:
        """Start to read the topics from their beginning."""
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(
            target=self._read, args=(loop,), name="versions", daemon=True
        )
        self._thread.start()

    async def stop(self) -> None:
        """Stop reading."""
        self._stop.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def get(self, kind: str, name: str, version: str) -> bytes:
        """Return a version's bytes; KeyError if it is not in the store.

        A model version that was removed is replaced by the oldest newer one.
        """
        usable = self._usable((kind, name, version))
        if usable is None:
            raise KeyError(f"{kind} {name} version {version}")
        return self._held[usable]

    def snapshot(self, model: str, version: str) -> bytes | None:
        """Return a model version's bytes; None if it was removed with all newer ones.

        None means that the model starts untrained: its snapshots were removed on purpose. Raises
        KeyError for a version that was never published.
        """
        wanted = (MODEL, model, version)
        if self._usable(wanted) is None and self._is_removed(wanted):
            return None
        return self.get(*wanted)

    async def available(self, kind: str, name: str, version: str) -> None:
        """Wait until a version is in the store; raise `VersionMissing` if it does not come in time.

        Returns at once for a model version that is known to be removed.
        """
        wanted = (kind, name, version)
        if wanted in self._held or self._is_removed(wanted):
            return
        arrival: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(wanted, []).append(arrival)
        patience_s = min(REMOVED_AFTER_S, self._available_within_s)
        for wait_s in (patience_s, self._available_within_s - patience_s):
            arrived, _ = await asyncio.wait((arrival,), timeout=wait_s)
            if arrived or self._note_if_removed(wanted):
                return
        raise VersionMissing(
            f"{kind} {name} version {version} is named by the timeline but was not found "
            f"within {self._available_within_s:.0f} s: it was never published"
        )

    def put(self, name: VersionKey, data: bytes | None, published_ms: int = 0) -> None:
        """Store a published version; `data` None is a tombstone."""
        if name[0] == CATALOGUE:
            self._published_ms[name[2]] = published_ms
            if len(self._published_ms) > _MAX_CATALOGUES:
                oldest = min(self._published_ms, key=self._published_ms.__getitem__)
                del self._published_ms[oldest]
                self._held.pop((CATALOGUE, CATALOGUE, oldest), None)
                if oldest == name[2]:
                    return
        if data is None:
            self._held.pop(name, None)
            self._note_removed(name)
            return
        self._held[name] = data
        for arrival in self._waiting.pop(name, ()):
            if not arrival.done():
                arrival.set_result(None)

    def older(self, model: str, version: str) -> Iterator[bytes]:
        """Yield the bytes of a model's older versions, the newest of them first."""
        held = [name for name in self._held if name[:2] == (MODEL, model) and name[2] < version]
        return (self._held[name] for name in sorted(held, reverse=True))

    def newer_catalogues(self, version: str) -> list[str]:
        """Return the catalogues published after one, the oldest first; of an unknown one, all."""
        since_ms = self._published_ms.get(version, -1)
        held = [name[2] for name in self._held if name[0] == CATALOGUE and name[2] != version]
        newer = [(self._published_ms[each], each) for each in held]
        return [each for at_ms, each in sorted(newer) if at_ms >= since_ms]

    def _usable(self, wanted: VersionKey) -> VersionKey | None:
        """Return the version itself if it is here; for a model else the oldest newer one."""
        if wanted in self._held or wanted[0] != MODEL:
            return wanted if wanted in self._held else None
        newer = [held for held in self._held if held[:2] == wanted[:2] and held[2] > wanted[2]]
        return min(newer, default=None)

    def _is_removed(self, wanted: VersionKey) -> bool:
        return wanted[0] == MODEL and wanted[2] <= self._removed_up_to.get(wanted[:2], "")

    def _note_if_removed(self, wanted: VersionKey) -> bool:
        """Note a version as removed if a newer one is here, since older ones are read first."""
        usable = self._usable(wanted)
        if usable is None:
            return False
        log.warning(
            "model %s version %s was removed; version %s is used instead",
            *(wanted[1], wanted[2], usable[2]),
        )
        self._note_removed(wanted)
        return True

    def _note_removed(self, name: VersionKey) -> None:
        self._removed_up_to[name[:2]] = max(self._removed_up_to.get(name[:2], ""), name[2])

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            consumer = Consumer({**reader_config(self._client), "enable.partition.eof": False})
            try:
                consumer.assign(
                    [
                        TopicPartition(topic, number, OFFSET_BEGINNING)
                        for topic in self._kinds
                        for number in range(partition_count(consumer, topic))
                    ]
                )
                while not self._stop.is_set():
                    self._read_batch(loop, consumer)
            finally:
                consumer.close()
        except Exception as error:
            if not self._stop.is_set():
                loop.call_soon_threadsafe(self._failed, error)

    def _read_batch(self, loop: asyncio.AbstractEventLoop, consumer: Consumer) -> None:
        for message in consumer.consume(_BATCH, _POLL_S):
            error = message.error()
            if error is None:
                name = parse_version_key(self._kinds[message.topic() or ""], message.key() or b"")
                if name is not None:
                    loop.call_soon_threadsafe(
                        self.put, name, message.value(), message.timestamp()[1]
                    )
            elif not _is_transient(error):
                what = f"{message.topic()}: {error.str()}"
                raise KafkaException(KafkaError(error.code(), what))


def _is_transient(error: KafkaError) -> bool:
    """Return whether librdkafka recovers from it by itself (a broker that restarts)."""
    return bool(error.retriable()) or error.code() in (
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._TRANSPORT,
        KafkaError._RESOLVE,
    )
