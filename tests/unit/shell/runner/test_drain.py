"""After its last checkpoint a worker takes no more, though the timer for them still runs."""

from __future__ import annotations

import asyncio

from streams.shell.runner.checkpoint import CheckpointOutcome
from tests.unit.shell.runner.test_role_runner import PLACE, FakeBroker, World


def test_a_worker_that_has_drained_takes_no_further_checkpoint() -> None:
    async def scenario() -> None:
        world = await World(FakeBroker()).recovered()
        await world.work(0, 5)
        await world.runner.drain()
        assert world.broker.offsets == {PLACE: 5}
        assert world.role.dropped == 1
        # Its memory is gone: a cut made now would commit what nothing holds any more.
        world.broker.offsets.clear()
        assert await world.runner.checkpoint.run() is CheckpointOutcome.NOTHING
        assert world.broker.offsets == {}

    asyncio.run(scenario())


def test_a_checkpoint_that_waits_for_the_last_one_finds_nothing_to_do() -> None:
    async def scenario() -> None:
        world = await World(FakeBroker()).recovered()
        await world.work(0, 5)
        drained = asyncio.create_task(world.runner.drain())
        await asyncio.sleep(0)
        waiting = asyncio.create_task(world.runner.checkpoint.run())
        await drained
        assert await waiting is CheckpointOutcome.NOTHING

    asyncio.run(scenario())
