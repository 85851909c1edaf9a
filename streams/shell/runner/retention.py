"""Records that retention removed before they were read: logged and counted, or refused.

In: committed offsets and the bounds of each partition. Out: where to start. Records of interest
only (clicks, orders, tickets, lessons) may be missed: while a worker waits for an operator, more of
them expire. Records that may hold a customer's opt-out (consent withdrawn, an unsubscription, an
erasure) may not be missed: the worker ends, and an operator decides.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from streams.shell.exits import ConfigExit
from streams.shell.kafka_records import Chunk, Partition
from streams.shell.runner.role_options import RoleOptions
from streams.shell.telemetry.metrics import RECORDS_LOST, Metrics

log = logging.getLogger("concierge.retention")

Bounds = Mapping[Partition, tuple[int, int]]


class RecordsLost(ConfigExit):
    """Records that were not read yet are gone, or the topic is another one than before."""


class Retention:
    """Decides where reading begins, and whether records missing before that may be missed."""

    def __init__(self, options: RoleOptions, role: str, metrics: Metrics | None = None) -> None:
        self._options = options
        self._group = options.group(role)
        self._metrics = metrics

    def starting_points(
        self, committed: Mapping[Partition, int | None], bounds: Bounds
    ) -> dict[Partition, int]:
        """Return each partition's next offset: the committed one, or the first there is.

        `bounds` holds (first offset, offset after the last). Raises `RecordsLost` where records
        are gone that must not be missed, or the committed offset lies behind the end.
        """
        starts: dict[Partition, int] = {}
        for partition, offset in committed.items():
            first, after = bounds[partition]
            starts[partition] = first if offset is None else offset
            if offset is not None and offset < first:
                self.gone(partition, offset, first)
                starts[partition] = first
            elif offset is not None and offset > after:
                raise RecordsLost(
                    f"{partition.topic}/{partition.partition}: offset {offset} was to be read "
                    f"next, but the partition ends at {after}: the topic was created again, or "
                    "records were cut off its end. Customers' states would take records with "
                    "offsets used before for repeats. Restore the topic; or accept that: "
                    f"{self._reset(partition, after)}"
                )
        return starts

    def check_gap(self, chunk: Chunk, first: int) -> None:
        """Report records missing before a chunk; `first` is the first offset there is.

        Compaction and transaction markers leave gaps too, behind which nothing was lost.
        """
        if chunk.first_offset < chunk.start:
            raise RecordsLost(
                f"{chunk.tp.topic}/{chunk.tp.partition}: offset {chunk.start} was to be read "
                f"next, but the broker sent {chunk.first_offset}"
            )
        if first > chunk.start:
            self.gone(chunk.tp, chunk.start, first)

    def gone(self, partition: Partition, wanted: int, first: int) -> None:
        """Report that the records from `wanted` to `first` are gone, or raise `RecordsLost`."""
        what = (
            f"{partition.topic}/{partition.partition}: offset {wanted} was to be read next, but "
            f"the first offset there is {first}: {first - wanted} records were removed before "
            "they were read (retention is shorter than the lag was)"
        )
        if partition.topic not in self._options.may_miss:
            raise RecordsLost(
                f"{what}. They may hold withdrawn consent, unsubscriptions or erasures: load those "
                f"again first, then go on without the rest: {self._reset(partition, first)}"
            )
        log.error("%s; going on at %d. Raise retention.ms, or add workers", what, first)
        if self._metrics is not None:
            self._metrics.add(RECORDS_LOST, first - wanted, partition.topic)

    def _reset(self, partition: Partition, offset: int) -> str:
        return (
            f"kafka-consumer-groups --bootstrap-server {self._options.bootstrap} "
            f"--group {self._group} --topic {partition.topic}:{partition.partition} "
            f"--reset-offsets --to-offset {offset} --execute, with this role's workers stopped"
        )
