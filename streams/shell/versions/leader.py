"""The leader: one worker writes ticks and catalogue switches to every timeline partition.

The leader is the worker that owns partition 0 of the clickstream in the intake group. So the group
chooses it, and a rebalance replaces a lost one. Two leaders for a moment do no harm, because ticks
and switches may repeat.
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
    """The timeline topic, for records that go to each of its partitions."""

    topic: str
    partitions: int

    def send_to_all(self, sender: Sender, record: Tick | Switch) -> None:
        """Pass the record to the sender once per partition."""
        value = ENCODER.encode(record)
        for number in range(self.partitions):
            sender.send(self.topic, None, value, number)


class Leader:
    """Writes ticks and switches between `lead` and `follow`.

    `now_ms` is the wall clock; None if a feed writes the ticks. `catalogue` returns the current
    catalogue, or None; it is called after every tick interval. `write` sends records and waits
    until they are acknowledged. No tick is written before `caught_up` has returned True. `failed`
    gets the error that ends the ticks.
    """

    def __init__(
        self,
        sender: Sender,
        timeline: Timeline,
        catalogues_topic: str,
        *,
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
        """Publish the catalogue, then start the ticks. Returns once the catalogue is published."""
        if self._ticking is None:
            self._in_use = None
            await self.publish_catalogue()
            self._ticking = asyncio.create_task(self._tick())

    def follow(self) -> None:
        """Stop the ticks: another worker may be the leader now."""
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None

    async def publish_catalogue(self) -> None:
        """Publish the catalogue and switch every partition to it, unless that was done already."""
        found = self._catalogue()
        if found is None or found.version == self._in_use:
            return
        # Acknowledged first: a reader of the switch must find the version that it names.
        await self._write([Write(self._catalogues_topic, found.version.encode(), found.text)])
        self._timeline.send_to_all(
            self._sender, Switch(kind=CATALOGUE, name=CATALOGUE, version=found.version)
        )
        await self._sender.publish()
        self._in_use = found.version

    async def _tick(self) -> None:
        # After an outage, answers to old actions are still unread. A tick before them would settle
        # their decisions as ignored (`catch_up` says what the leader waits for, and how long).
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
