"""What happens after a rebalance, in place of Faust's recovery.

In: the assigned partitions. Out: a consumer that reads on from the runner's positions. Faust would
read changelogs with the consumer that also reads the sources. Here the role reads its state with a
consumer of its own, in a thread. Until it has finished, nothing is fetched, but the event loop and
the group's heartbeats go on.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from faust.tables.manager import TableManager
from faust.types import TP
from mode import Service

from streams.shell.faust_app.host import HostApp
from streams.shell.faust_app.transport import ShellConsumer
from streams.shell.kafka_records import Partition


class ShellRecovery(Service):
    """Runs one recovery for each assignment; a newer assignment cancels the one under way."""

    app: HostApp
    in_recovery = False

    def __init__(self, app: HostApp, tables: TableManager, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.app = app
        self.tables = tables
        self.completed = asyncio.Event()
        self._under_way: asyncio.Task[None] | None = None

    def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Cancel a recovery that is under way: its partitions are being revoked."""
        if self._under_way is not None:
            self._under_way.cancel()
            self._under_way = None

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Start to recover the assigned partitions; return at once, to be able to rejoin."""
        self.on_partitions_revoked(set())
        changelogs = self.tables.changelog_topics
        partitions = [Partition(*tp) for tp in sorted(assigned) if tp.topic not in changelogs]
        self._under_way = asyncio.create_task(self._recover(partitions, self.app.runner.epoch))

    async def on_stop(self) -> None:
        """Cancel a recovery that is under way."""
        self.on_partitions_revoked(set())

    async def _recover(self, partitions: list[Partition], epoch: int) -> None:
        app, tables = self.app, self.tables
        try:
            starts = await app.runner.recover(partitions)
        except Exception as error:
            if app.runner.epoch == epoch:
                app.runner.fail(error)
            return
        if app.runner.epoch != epoch:
            return
        consumer = cast(ShellConsumer, app.consumer)
        consumer.resume_partitions({TP(*partition) for partition in partitions})
        consumer.start_from(starts)
        app.runner.resume()
        self.completed.set()
        app.flow_control.resume()
        consumer.resume_flow()
        await app._fetcher.maybe_start()
        tables.on_actives_ready()
        tables.on_standbys_ready()
        app.on_rebalance_end()


class ShellTables(TableManager):
    """Faust's table manager with our recovery."""

    app: HostApp

    @property
    def recovery(self) -> ShellRecovery:  # type: ignore[override]  # no subclass of it
        """Return the recovery service."""
        if self._recovery is None:
            self._recovery = ShellRecovery(  # type: ignore[assignment]
                self.app, self, beacon=self.beacon, loop=self.loop
            )
        return self._recovery  # type: ignore[return-value]

    async def on_start(self) -> None:
        """Register tables and start the recovery service, without Faust's second of sleep."""
        if not self.should_stop:
            await self._update_channels()
            await self.recovery.start()
