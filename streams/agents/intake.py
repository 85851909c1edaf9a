"""Intake: records of the input topics become timeline records, or dead letters.

On a topic where brokers stamp records (LogAppendTime, as declared), an event arrives when the
broker got its record. Where producers stamp them (CreateTime, Kafka's default), the timestamp may
be any time: a connector that loads history uses the time of the event. There an event arrives when
intake first reads it. Events that waited during an outage then count as late, like history that was
loaded late; no action is the safe answer to both.

After a crash such a record is read again, with another arrival. The timeline has both copies, the
first one counts, and decide skips the second by its source partition and offset: decisions stay a
function of the timeline. One case changes: a record dated too far ahead, refused when first read,
may be admitted when it is read again later. Its dead letter then stays, too.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from schemas.bundled import SchemaSource
from schemas.records import ENCODER, Origin, Rejection
from schemas.topics import CLICKSTREAM, INPUTS, TIMELINE
from schemas.wire import schema_id
from streams.agents.dead_letter_outlet import DeadLetters
from streams.core.admission.admit import admit_noting
from streams.core.admission.opt_outs import Dropped
from streams.core.size_limits import AdmitLimits
from streams.shell.kafka_records import LOG_APPEND_TIME, Chunk, Partition
from streams.shell.runner.checkpoint import Cut
from streams.shell.runner.role import Sender

# Records admitted at a time; their outputs are sent together.
BATCH = 2_048
# No action is valid for less than a minute, so an event that is less late than this is on time.
_LATE_MS = 60_000
# Waits between two questions to a registry that does not answer.
_FIRST_RETRY_S, _LONGEST_RETRY_S = 0.25, 30.0


class RemoteSchemas(SchemaSource, Protocol):
    """Schemas of a registry, which are fetched by id."""

    def missing(self, schema_ids: Iterable[int]) -> set[int]:
        """Return the ids that have to be fetched."""

    def fetch(self, schema_ids: Iterable[int]) -> None:
        """Fetch these ids; blocks."""


class Leading(Protocol):
    """What intake asks of `streams.shell.versions.leader.Leader`."""

    async def lead(self) -> None:
        """Begin to publish ticks and catalogues."""

    def follow(self) -> None:
        """Stop publishing."""


@dataclass(frozen=True)
class IntakeOptions:
    """What intake admits, and under which prefix its topics are.

    An event that is older than `stale_ms` on arrival is history: its fold is applied, but no
    action answers it. 0 answers all, for a time that is simulated.
    """

    limits: AdmitLimits = field(default_factory=AdmitLimits)
    prefix: str = ""
    stale_ms: int = 0


class Intake:
    """The role that admits input. It has no state: decide recognises what intake repeats."""

    name = "intake"

    def __init__(
        self,
        outbox: Sender,
        dead_letters: DeadLetters,
        schemas: SchemaSource,
        clock: Leading,
        now_ms: Callable[[], int],
        options: IntakeOptions,
        *,
        remote: RemoteSchemas | None = None,
        unavailable: type[Exception] = ConnectionError,
        on_admitted: Callable[[str, Mapping[str, int]], None] = lambda topic, kinds: None,
        on_dropped_fields: Callable[[Origin, Iterable[Dropped]], None] = lambda origin, fields: (
            None
        ),
    ) -> None:
        self.topics = tuple(topic.with_prefix(options.prefix).name for topic in INPUTS)
        self._prefix = options.prefix
        self._timeline = TIMELINE.with_prefix(options.prefix).name
        self._leads = Partition(CLICKSTREAM.with_prefix(options.prefix).name, 0)
        self._outbox = outbox
        self._dead_letters = dead_letters
        self._schemas = schemas
        self._clock = clock
        self._limits = options.limits
        self._now_ms = now_ms
        self._stale_ms = options.stale_ms
        self._remote = remote
        self._unavailable = unavailable
        self._on_admitted = on_admitted
        self._on_dropped_fields = on_dropped_fields

    async def work(self, *chunks: Chunk) -> None:
        """Admit the chunks' records and send events and dead letters."""
        for chunk in chunks:
            if self._remote is not None:
                await self._fetch_schemas(self._remote, chunk)
            for first in range(0, len(chunk.records), BATCH):
                self._admit(chunk, first)
                await self._outbox.publish()
                # Other roles may share the event loop.
                await asyncio.sleep(0)

    def _admit(self, chunk: Chunk, first: int) -> None:
        partition = chunk.tp
        topic = partition.topic.removeprefix(self._prefix)
        kinds: Counter[str] = Counter()
        now_ms = self._now_ms()
        for record in chunk.records[first : first + BATCH]:
            # The brokers' clocks may be ahead of ours; no record has arrived later than now.
            by_broker = record.timestamp_type == LOG_APPEND_TIME
            arrived_ms = min(record.timestamp, now_ms) if by_broker else now_ms
            origin = Origin(topic, partition.partition, record.offset, arrived_ms)
            event, left_out = admit_noting(topic, record.value, origin, self._schemas, self._limits)
            if left_out:
                self._on_dropped_fields(origin, left_out)
            if isinstance(event, Rejection):
                self._dead_letters.refuse(origin, record, event)
            else:
                stale = 0 < self._stale_ms < arrived_ms - event.at_ms
                late_ms = now_ms - event.at_ms if self._stale_ms else 0
                if stale or late_ms >= _LATE_MS:
                    event.origin = msgspec.structs.replace(origin, stale=stale, late_ms=late_ms)
                key = event.customer.encode()
                self._outbox.send(self._timeline, key, ENCODER.encode(event))
                kinds[event.kind] += 1
        self._on_admitted(topic, kinds)

    async def _fetch_schemas(self, remote: RemoteSchemas, chunk: Chunk) -> None:
        """Fetch unknown schema ids; ask again until the registry answers."""
        named = {schema_id(record.value) for record in chunk.records} - {None}
        missing = remote.missing(number for number in named if number is not None)
        retry_s = _FIRST_RETRY_S
        while missing:
            try:
                await asyncio.to_thread(remote.fetch, missing)
                return
            except self._unavailable:
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, _LONGEST_RETRY_S)

    async def assigned(
        self, positions: Mapping[Partition, int], new: Collection[Partition]
    ) -> Mapping[Partition, int]:
        """Become the leader, with clickstream partition 0, before the first record is admitted."""
        if self._leads in positions:
            await self._clock.lead()
        return positions

    def revoked(self) -> None:
        """Stop leading."""
        self._clock.follow()

    def cut(self, positions: Mapping[Partition, int]) -> Cut:
        """Return the positions: there is no state, and outputs are acknowledged already."""
        return Cut(positions)

    def written(self, cut: Cut) -> None:
        """Do nothing: nothing was written."""
