"""The time and the catalogue, put on every timeline partition by one worker: the leader.

Leader is whoever owns partition 0 of the clickstream in the intake group, so that the group
chooses it and a lost leader is replaced in a rebalance. Two leaders for a moment are harmless:
ticks and switches may repeat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from schemas.records import CATALOGUE, ENCODER, Switch, Tick
from streams.shell.kafka_records import Write
from streams.shell.runner.role import Sender


class CatalogueText(NamedTuple):
    """A catalogue as it is published; `version` is its content hash."""

    version: str
    text: bytes


class Timeline(NamedTuple):
    """Where a record for everybody goes: to each partition of the timeline."""

    topic: str
    partitions: int

    def send_to_all(self, sender: Sender, record: Tick | Switch) -> None:
        """Collect the record once per partition."""
        value = ENCODER.encode(record)
        for number in range(self.partitions):
            sender.send(self.topic, None, value, number)


class Leader:
    """The leader's duties, from `lead` to `follow`.

    `now_ms` is the wall clock; None means that a feed writes the ticks itself. `catalogue` returns
    the catalogue as it is now (it is read again at every tick), None if there is none.
    `write` sends records and waits until they are acknowledged.
    """

    def __init__(
        self,
        sender: Sender,
        timeline: Timeline,
        catalogues_topic: str,
        now_ms: Callable[[], int] | None,
        catalogue: Callable[[], CatalogueText | None],
        write: Callable[[Sequence[Write]], Awaitable[None]],
        failed: Callable[[BaseException], None],
        interval_s: float = 1.0,
        caught_up: Callable[[], bool] = lambda: True,
    ) -> None:
        self._sender = sender
        self._timeline = timeline
        self._catalogues_topic = catalogues_topic
        self._now_ms = now_ms
        self._catalogue = catalogue
        self._write = write
        self._failed = failed
        self._interval_s = interval_s
        self._caught_up = caught_up
        self._in_use: str | None = None
        self._ticking: asyncio.Task[None] | None = None

    async def lead(self) -> None:
        """Publish the catalogue, then tick until `follow`. Returns once it is published."""
        if self._ticking is None:
            self._in_use = None
            await self.publish_catalogue()
            self._ticking = asyncio.create_task(self._tick())

    def follow(self) -> None:
        """Stop: somebody else may be the leader now."""
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None

    async def publish_catalogue(self) -> None:
        """Publish the catalogue and switch every partition to it, unless it is in use already."""
        found = self._catalogue()
        if found is None or found.version == self._in_use:
            return
        # Acknowledged first: a switch must not be read before what it names can be.
        await self._write([Write(self._catalogues_topic, found.version.encode(), found.text)])
        self._timeline.send_to_all(
            self._sender, Switch(kind=CATALOGUE, name=CATALOGUE, version=found.version)
        )
        await self._sender.publish()
        self._in_use = found.version

    async def _tick(self) -> None:
        # After an outage the answers to old actions still wait: time must not pass them by
        # (`catch_up` says what is waited for, and for how long).
        behind = True
        try:
            while True:
                behind = behind and not self._caught_up()
                if self._now_ms is not None and not behind:
                    self._timeline.send_to_all(self._sender, Tick(at_ms=self._now_ms()))
                    await self._sender.publish()
                await asyncio.sleep(self._interval_s)
                await self.publish_catalogue()
        except Exception as error:
            self._failed(error)
