"""The Faust app of one role: where Faust's hooks lead into the shell.

Each override is listed in `hooks`, which a worker checks when it starts.
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
from streams.shell.runner.role_options import RoleOptions
from streams.shell.runner.role_runner import RoleRunner
from streams.shell.state.partitions import (
    Partitions,
)

AgentFunction = Callable[[Any], Awaitable[None]]

# Within this time the group hears of partitions that were added to a topic, and reads them. Five
# minutes, the client's default, is long for a customer who has just ordered; a question costs
# the broker a fraction of a millisecond.
_METADATA_MAX_AGE_MS = 10_000


class ShellStream(faust.Stream[Sequence[Chunk]]):
    """A stream of chunks, those of one fetch together; finished when the agent asks for more."""

    app: ShellApp

    def __aiter__(self) -> AsyncIterator[Sequence[Chunk]]:
        """Yield chunks through the gate; stale ones are skipped, never counted as done."""
        return self._chunks()

    async def _chunks(self) -> AsyncIterator[Sequence[Chunk]]:
        self._finalized = True
        runner, channel = self.app.runner, cast(ChannelT[Sequence[Chunk]], self.channel)
        await self.maybe_start()
        while not self.should_stop:
            try:
                event: EventT[Any] = await channel.__anext__()
            except StopAsyncIteration:
                # How mode ends an agent that waits for its next chunk.
                return
            self._set_current_event(event)
            for chunks in chunk_groups(cast(Sequence[Chunk], event.value)):
                if await runner.enter(*chunks):
                    # An agent that raises does not come back here: its chunks stay unfinished.
                    if read := [chunk for chunk in chunks if chunk.records]:
                        yield read
                    runner.finished(*chunks)


class ShellAgent(Agent):
    """An agent whose failure stops the worker; Faust would start it again behind the event."""

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
    """Pass a message's value on as it is: agents decode, so that bad bytes are their business."""

    def compile(self, app: Any, **kwargs: Any) -> Any:
        """Return the function Faust calls for each message."""

        async def decode(message: ConsumerMessage, *, propagate: bool = False) -> Event:
            return Event(app, None, message.value, None, message)

        return decode


class ShellBoot(BootStrategy):
    """Start no web server and no producer: Faust's are not used."""

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
        """Create none: nothing is kept on disk."""

    async def _producer_flush(self, logger: Any) -> None:
        """Do nothing: Faust's producer is not started."""

    def _crash(self, reason: BaseException) -> None:
        self.runner.fail(reason)
        super()._crash(reason)


def create_app(
    runner: RoleRunner,
    agent: AgentFunction,
    partitions: Partitions | None = None,
) -> ShellApp:
    """Return the app of `runner.role`, with `agent` reading all of its topics.

    `partitions` is the state behind the customers table, for the role that has it. Nothing is
    connected yet. Topics are never created from here.
    """
    options = runner.options
    app = ShellApp(runner, **_settings(options))
    topic = app.topic(*runner.role.topics, schema=ChunkSchema())
    app.agent(topic, name=runner.role.name)(agent)
    if partitions is not None:
        app.tables.add(CustomersTable(app, partitions))
    return app


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
        # Must exceed the session timeout (aiokafka), and a join may last a rebalance.
        "broker_request_timeout": options.rebalance_timeout_s + options.session_timeout_s,
        "consumer_group_instance_id": options.instance_id,
        "consumer_auto_offset_reset": "earliest",
        "consumer_metadata_max_age_ms": _METADATA_MAX_AGE_MS,
        # Chunks, not records: one being delivered while one is under work.
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
