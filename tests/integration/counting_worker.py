"""A worker with the smallest stateful role there is: it counts records per key.

Run as a process of its own, so that a test may kill, freeze or stop it:
`python -m tests.integration.counting_worker BOOTSTRAP PREFIX [failpoint] [instance]`.
"""

from __future__ import annotations

import asyncio
import sys
import zlib
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from aiokafka.consumer.group_coordinator import GroupCoordinator

from streams.shell.faust_app.app import create_app
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
from streams.shell.state.changelog import (
    newest_states,
)
from streams.shell.state.partition_store import StateCodec
from streams.shell.state.partitions import Partitions
from streams.shell.telemetry.progress import RoleProgress
from tests.support.patience import PATIENCE_S


class Count(msgspec.Struct, array_like=True):
    """How often a key was seen, a digest of what came in which order, and how far it has come."""

    seen: int = 0
    digest: int = 0
    applied_offset: int = -1


_DECODER = msgspec.msgpack.Decoder(Count)
CODEC = StateCodec(
    encode=lambda key, value: msgspec.msgpack.encode(value),
    decode=lambda key, data: _DECODER.decode(data),
    new_partition=Count,
)


def input_topic(prefix: str) -> str:
    """Return where the worker reads."""
    return f"{prefix}things"


def output_topic(prefix: str) -> str:
    """Return where the worker writes one record per record, with an id made of key and count."""
    return f"{prefix}outputs"


def app_id(prefix: str) -> str:
    """Return the application id; its changelog is named after it."""
    return prefix.rstrip(".")


def changelog_topic(prefix: str) -> str:
    """Return the worker's changelog."""
    return f"{app_id(prefix)}-count-customers-changelog"


def advance(count: Count, key: str, value: bytes) -> bytes:
    """Count one record and return what is published for it."""
    count.seen += 1
    count.digest = zlib.crc32(value, count.digest)
    return f"{key}:{count.seen} {count.digest}".encode()


class Counting:
    """The role: state per key, one output per record."""

    name = "count"

    def __init__(
        self, prefix: str, partitions: Partitions, outbox: Outbox, client: Mapping[str, Any]
    ) -> None:
        self.topics = (input_topic(prefix),)
        self._output = output_topic(prefix)
        self._partitions = partitions
        self._outbox = outbox
        self._client = client

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
        print(f"assigned {numbers}", flush=True)
        return positions

    def revoked(self) -> None:
        self._partitions.drop()

    async def work(self, *chunks: Chunk) -> None:
        for chunk in chunks:
            self._count(chunk)
        await self._outbox.publish()
        await asyncio.sleep(0)

    def _count(self, chunk: Chunk) -> None:
        store = self._partitions[chunk.tp.partition]
        for record in chunk.records:
            key, value = (record.key or b"").decode(), record.value or b""
            if key == "poison":
                raise ValueError("poison")
            count = store.get(key) or Count()
            if count.applied_offset >= record.offset:
                continue
            count.applied_offset = record.offset
            self._outbox.send(self._output, record.key, advance(count, key, value))
            store.put(key, count)

    def encode_ahead(self, most: int) -> int:
        return self._partitions.encode_ahead(most)

    def cut(self, positions: Mapping[Partition, int]) -> Cut:
        writes = self._partitions.cut({p.partition: offset for p, offset in positions.items()})
        return Cut(positions, (writes,) if writes else ())

    def written(self, cut: Cut) -> None:
        self._partitions.written()


async def counting(options: RoleOptions, prefix: str, shutdown: Shutdown) -> int:
    """Run the worker until `shutdown` is requested."""
    config = producer_config(options.client_config(), options.linger_ms)
    # A worker that a test froze must not end because its records waited meanwhile.
    config["message.timeout.ms"] = int(PATIENCE_S * 1_000)
    outbox, writer = Outbox(config, shutdown.failed), Outbox(config, shutdown.failed)
    partitions = Partitions(changelog_topic(prefix), CODEC, hot_limit=1_000)
    role = Counting(prefix, partitions, outbox, options.client_config())
    runner = RoleRunner(role, options, outbox, writer, RoleProgress(), shutdown.failed)
    return await serve([create_app(runner, partitions)], shutdown)


def options(bootstrap: str, prefix: str, **changes: Any) -> RoleOptions:
    """Return options that checkpoint often and notice a dead worker soon."""
    chosen: dict[str, Any] = {
        "app_id": app_id(prefix),
        "checkpoint_every_s": 0.2,
        "checkpoint_every_records": 3_000,
        "max_poll_records": 500,
        "session_timeout_s": 6.0,
        "heartbeat_interval_s": 0.5,
        **changes,
    }
    return RoleOptions(bootstrap, **chosen)


def break_coordination() -> None:
    """Let the client's coordination die after its first assignment, as a bug of it would."""

    async def fail(self: GroupCoordinator, assignment: object) -> None:
        raise ValueError("a bug of the client")

    GroupCoordinator._maybe_do_autocommit = fail


def main(arguments: Sequence[str]) -> int:
    bootstrap, prefix, *rest = arguments
    failpoint, instance = (*rest, "", "")[:2]
    if failpoint == "coordination":
        break_coordination()
        failpoint = ""
    chosen = options(bootstrap, prefix, failpoint=failpoint, instance_id=instance or None)
    return run(lambda: counting(chosen, prefix, Shutdown()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
