"""The Faust app of one role: a `RoleRunner` and its role become an app that a worker can start.

Faust calls the classes of this module; they pass chunks, failures and the end on to the runner.
`hooks` lists every name that they override, and a worker checks that list when it starts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, cast

import faust
from faust.agents import Agent
from faust.app.base import BootStrategy
from faust.events import Event
from faust.types import ChannelT, ConsumerMessage, EventT
from faust.types.agents import ActorRefT
from yarl import URL

from streams.shell.faust_app.host import HostApp
from streams.shell.faust_app.recovery import ShellTables
from streams.shell.faust_app.table import (
    CustomersTable,
)
from streams.shell.faust_app.transport import ShellConsumer, ShellTransport
from streams.shell.kafka_records import Chunk, chunk_groups
from streams.shell.runner.role import Role
from streams.shell.runner.role_options import RoleOptions
from streams.shell.runner.role_runner import RoleRunner
from streams.shell.state.partitions import (
    Partitions,
)

# A consumer notices within this time that partitions were added to a topic, and reads them. The
# client's default of five minutes is long for a customer who has just ordered. Asking costs the
# broker a fraction of a millisecond.
_METADATA_MAX_AGE_MS = 10_000


class ShellStream(faust.Stream[Sequence[Chunk]]):
    """A stream of groups of chunks from one fetch.

    A group counts as finished when the agent asks for the next one.
    """

    app: ShellApp

    def __aiter__(self) -> AsyncIterator[Sequence[Chunk]]:
        """Yield chunks that the barrier lets through; stale ones are skipped and not counted."""
        return self._chunks()

    async def _chunks(self) -> AsyncIterator[Sequence[Chunk]]:
        self._finalized = True
        runner, channel = self.app.runner, cast(ChannelT[Sequence[Chunk]], self.channel)
        await self.maybe_start()
        while not self.should_stop:
            try:
                event: EventT[Any] = await channel.__anext__()
            except StopAsyncIteration:
                # mode ends an agent that waits for its next chunk in this way.
                return
            self._set_current_event(event)
            for chunks in chunk_groups(cast(Sequence[Chunk], event.value)):
                if await runner.enter(*chunks):
                    # If the agent raises, the next line is not reached: its chunks stay unfinished.
                    if with_records := [chunk for chunk in chunks if chunk.records]:
                        yield with_records
                    runner.finished(*chunks)


class ShellAgent(Agent):
    """An agent whose failure stops the worker; Faust would restart it after the failed event."""

    app: ShellApp

    async def _execute_actor(self, coro: Awaitable[None], aref: ActorRefT) -> None:
        try:
            await coro
        except asyncio.CancelledError:
            if not self.should_stop:
                self.app.runner.fail(RuntimeError(f"agent {self.name} was cancelled"))
            raise
        except Exception as error:
            self.app.runner.fail(error)


class ChunkSchema(faust.Schema[Any, Any]):
    """Pass a message's value on undecoded: roles decode records, and refuse bad bytes."""

    def compile(self, app: Any, **kwargs: Any) -> Any:
        """Return the function Faust calls for each message."""

        async def decode(message: ConsumerMessage, *, propagate: bool = False) -> Event:
            return Event(app, None, message.value, None, message)

        return decode


class ShellBoot(BootStrategy):
    """Start no web server and no producer: those of Faust are not used."""

    enable_web = False
    enable_kafka_producer = False


class ShellApp(HostApp):
    """A Faust app that leaves committing, recovery and failures to its `RoleRunner`."""

    BootStrategy = ShellBoot
    consumer: ShellConsumer

    def __init__(self, runner: RoleRunner, **settings: Any) -> None:
        self.runner = runner
        super().__init__(runner.options.group(runner.role.name), **settings)

    def _new_transport(self) -> ShellTransport:
        return ShellTransport(self.conf.broker_consumer, self)

    def _new_consumer(self) -> ShellConsumer:
        consumer = cast(ShellConsumer, super()._new_consumer())
        self.runner.broker = consumer
        return consumer

    async def _stop_consumer(self) -> None:
        """Take the last checkpoint before Faust takes the consumer down."""
        try:
            await self.runner.drain()
        except Exception as error:
            self.runner.fail(error)
        await super()._stop_consumer()

    def _create_directories(self) -> None:
        """Create no directories: nothing is stored on disk."""

    async def _producer_flush(self, logger: Any) -> None:
        """Do nothing: Faust's producer is not started."""

    def _crash(self, reason: BaseException) -> None:
        self.runner.fail(reason)
        super()._crash(reason)


def create_app(runner: RoleRunner, partitions: Partitions | None = None) -> ShellApp:
    """Return an app whose only agent passes all chunks of the role's topics to `role.work`.

    `partitions` is the state behind the customers table, for a role that has state. The app is
    not connected yet, and it never creates topics.
    """
    options = runner.options
    app = ShellApp(runner, **_settings(options))
    topic = app.topic(*runner.role.topics, schema=ChunkSchema())
    app.agent(topic, name=runner.role.name)(agent_of(runner.role))
    if partitions is not None:
        app.tables.add(CustomersTable(app, partitions))
    return app


def agent_of(role: Role) -> Callable[[Any], Awaitable[None]]:
    """Return a Faust agent that passes each group of chunks to `role.work`."""

    async def work(stream: AsyncIterator[Sequence[Chunk]]) -> None:
        async for chunks in stream:
            await role.work(*chunks)

    return work


def _settings(options: RoleOptions) -> dict[str, Any]:
    return {
        "broker": [URL(f"kafka://{address}") for address in options.bootstrap.split(",")],
        "broker_client_id": options.app_id,
        "broker_credentials": options.credentials,
        "broker_max_poll_records": options.max_poll_records,
        "consumer_max_fetch_size": options.max_fetch_bytes,
        "broker_session_timeout": options.session_timeout_s,
        "broker_heartbeat_interval": options.heartbeat_interval_s,
        "broker_rebalance_timeout": options.rebalance_timeout_s,
        # aiokafka requires more than the session timeout; a join may last a whole rebalance.
        "broker_request_timeout": options.rebalance_timeout_s + options.session_timeout_s,
        "consumer_group_instance_id": options.instance_id,
        "consumer_auto_offset_reset": "earliest",
        "consumer_metadata_max_age_ms": _METADATA_MAX_AGE_MS,
        # Groups of chunks, not records: one waits while the agent works on another.
        "stream_buffer_maxsize": 1,
        "stream_recovery_delay": 0.0,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "table_standby_replicas": 0,
        "web_enabled": False,
        "worker_redirect_stdouts": False,
        "Agent": ShellAgent,
        "Stream": ShellStream,
        "TableManager": ShellTables,
    }
