"""The small job through Concierge's shell: Faust app, chunks, checkpoints, changelog.

`python -m tests.bench.same_job.ours BOOTSTRAP INPUT OUTPUT APP_ID FOLDER`
"""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from streams.shell.faust_app.app import create_app
from streams.shell.kafka.client_config import librdkafka_config
from streams.shell.kafka.outbox import Outbox
from streams.shell.kafka.producers import producer_config
from streams.shell.kafka.topic_reader import (
    in_thread,
)
from streams.shell.kafka_records import Chunk, Partition
from streams.shell.process.serve import Shutdown, run, serve
from streams.shell.runner.checkpoint import Cut
from streams.shell.runner.role import numbers_of
from streams.shell.runner.role_options import RoleOptions
from streams.shell.runner.role_runner import RoleRunner
from streams.shell.settings.settings import Settings
from streams.shell.state.changelog import (
    newest_states,
)
from streams.shell.state.partition_store import StateCodec
from streams.shell.state.partitions import Partitions
from streams.shell.telemetry.progress import RoleProgress
from streams.worker.shared import role_options_of
from tests.bench.same_job.job import apply, decode_click, encode_totals, new_totals

ROLE = "totals"


class Totals(msgspec.Struct, array_like=True):
    """A customer's totals, and how far along the input they have come."""

    numbers: list[int]
    applied_offset: int = -1


_DECODER = msgspec.msgpack.Decoder(Totals)
CODEC = StateCodec(
    encode=lambda key, value: msgspec.msgpack.encode(value),
    decode=lambda key, data: _DECODER.decode(data),
    new_partition=lambda: Totals(new_totals()),
)


def changelog_of(app_id: str) -> str:
    """Return the name that Faust gives the table's changelog."""
    return f"{app_id}-{ROLE}-customers-changelog"


class Totalling:
    """The role: decode, add up, send; what `Decide` does, with a smaller engine."""

    name = ROLE

    def __init__(
        self,
        topics: tuple[str, str],
        partitions: Partitions,
        outbox: Outbox,
        client: Mapping[str, Any],
    ) -> None:
        self.topics, self._output = topics[:1], topics[1]
        self._partitions = partitions
        self._outbox = outbox
        self._client = client
        self._begun = False

    async def assigned(
        self, positions: Mapping[Partition, int], new: Collection[Partition]
    ) -> Mapping[Partition, int]:
        numbers = numbers_of(self.topics[0], positions)
        states = await in_thread(
            partial(newest_states, self._client, self._partitions.changelog, numbers)
        )
        for number in numbers:
            start = positions[Partition(self.topics[0], number)]
            self._partitions.load(number, states[number], start)
        return positions

    def revoked(self) -> None:
        self._partitions.drop()

    async def work(self, *chunks: Chunk) -> None:
        if not self._begun:
            self._begun = True
            print(f"first {time.time_ns()}", flush=True)
        for chunk in chunks:
            self._total(chunk)
        await self._outbox.publish()

    def _total(self, chunk: Chunk) -> None:
        store = self._partitions[chunk.tp.partition]
        send, output = self._outbox.send, self._output
        for record in chunk.records:
            click = decode_click(record.value or b"")
            customer = click["customer_id"]
            totals = store.get(customer) or Totals(new_totals())
            if totals.applied_offset >= record.offset:
                continue
            totals.applied_offset = record.offset
            apply(totals.numbers, click)
            send(output, customer.encode(), encode_totals(customer, totals.numbers))
            store.put(customer, totals)

    def cut(self, positions: Mapping[Partition, int]) -> Cut:
        writes = self._partitions.cut({p.partition: offset for p, offset in positions.items()})
        return Cut(positions, (writes,) if writes else ())

    def written(self, cut: Cut) -> None:
        self._partitions.written()


async def totalling(options: RoleOptions, topics: tuple[str, str], shutdown: Shutdown) -> int:
    """Run the worker until `shutdown` is decided."""
    config = producer_config(options.client_config(), options.linger_ms)
    outbox, writer = Outbox(config, shutdown.failed), Outbox(config, shutdown.failed)
    partitions = Partitions(changelog_of(options.app_id), CODEC, Settings().hot_customers)
    role = Totalling(topics, partitions, outbox, options.client_config())
    runner = RoleRunner(role, options, outbox, writer, RoleProgress(), shutdown.failed)

    return await serve([create_app(runner, partitions)], shutdown)


def main(arguments: Sequence[str]) -> int:
    bootstrap, source, output, app_id, _ = arguments
    # All that is not named is as a worker has it by default.
    settings = Settings(bootstrap=bootstrap, app_id=app_id)
    options = role_options_of(settings, librdkafka_config(settings))
    return run(lambda: totalling(options, (source, output), Shutdown()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
