"""The barrier lets one group of chunks through at a time, and none while it is shut."""

from __future__ import annotations

import asyncio

from streams.shell.runner.barrier import Barrier


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_the_second_chunk_waits_for_the_first_to_be_finished() -> None:
    async def scenario() -> None:
        barrier = Barrier()
        await barrier.enter()
        second = asyncio.create_task(barrier.enter())
        await turns()
        assert not second.done()
        barrier.leave()
        await second

    asyncio.run(scenario())


def test_shutting_waits_for_the_chunk_under_work() -> None:
    async def scenario() -> None:
        barrier = Barrier()
        await barrier.enter()
        shut = asyncio.create_task(barrier.shut("checkpoint"))
        await turns()
        assert not shut.done()
        barrier.leave()
        await shut

    asyncio.run(scenario())


def test_no_chunk_enters_while_the_gate_is_shut() -> None:
    async def scenario() -> None:
        barrier = Barrier()
        await barrier.shut("checkpoint")
        entering = asyncio.create_task(barrier.enter())
        await turns()
        assert not entering.done()
        barrier.open("checkpoint")
        await entering

    asyncio.run(scenario())


def test_the_gate_opens_when_the_last_reason_is_withdrawn() -> None:
    async def scenario() -> None:
        barrier = Barrier()
        await barrier.shut("checkpoint")
        await barrier.shut("rebalance")
        barrier.open("checkpoint")
        assert not barrier.is_open
        barrier.open("rebalance")
        assert barrier.is_open

    asyncio.run(scenario())


def test_a_waiting_chunk_does_not_slip_in_between_two_shuts() -> None:
    async def scenario() -> None:
        barrier = Barrier()
        await barrier.enter()
        entering = asyncio.create_task(barrier.enter())
        await turns()
        shut = asyncio.create_task(barrier.shut("rebalance"))
        await turns()
        barrier.leave()
        await shut
        await turns()
        assert not entering.done()
        entering.cancel()

    asyncio.run(scenario())
