"""More than a worker can do: it falls behind, its memory does not grow, and it catches up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.vitals import Watched, vitals
from tests.chaos.world import ChaosWorld
from tests.integration.world_input import InputMaker
from tests.support.kafka import RealKafka

# What a worker may take for chunks under work, records in librdkafka's queue and the customers of
# the story. Buffers without a bound would take a kilobyte for each event of the backlog.
_BUFFERS_MIB = 250.0


class HotCustomer(InputMaker):
    """Makes half of all events for one customer."""

    def _customer(self) -> int:
        return 1 if self._random.random() < 0.5 else super()._customer()


class HotWorld(ChaosWorld):
    """Tells of that customer."""

    maker = HotCustomer


@pytest.mark.chaos
def test_a_worker_that_input_outruns_catches_up_in_the_same_memory_though_half_is_of_one_customer(
    kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    with HotWorld(kafka.bootstrap, tmp_path, events=15_000, seed=seed) as world:
        flooded(world, 10_000)


@pytest.mark.chaos
def test_a_backlog_of_a_million_events_is_caught_up_with_in_bounded_memory(
    kafka: RealKafka, tmp_path: Path, seed: int, backlog: int
) -> None:
    # Three in a thousand are bad, and all arrive at once.
    allowed = {"dead_letter_limit": backlog}
    with ChaosWorld(kafka.bootstrap, tmp_path, events=backlog, seed=seed, **allowed) as world:
        world.flood(backlog)
        worker = world.start_ready()
        ready_mib = vitals(worker.process.pid).rss_mib
        with Watched(worker) as watched:
            world.await_drained(patience_s=1_200)
        print(f"{ready_mib:.0f} MiB when ready, at most {max(watched.rss_mib):.0f} MiB")
        # A customer of 25 events is remembered in less than 4 KiB.
        customers_mib = backlog / 25 * 4 / 1024
        assert max(watched.rss_mib) - ready_mib < _BUFFERS_MIB + customers_mib
        world.end()
        world.judge()


def flooded(world: ChaosWorld, count: int) -> None:
    """Send faster than a worker works; assert that its lag, not its memory, takes it up."""
    worker = world.start_ready()
    world.tell(500)
    world.await_drained()
    before_mib = vitals(worker.process.pid).rss_mib
    with Watched(worker) as watched:
        world.flood(count)
        highest = world.lag("intake") + world.lag("decide")
        world.await_drained()
    print(f"lag {highest:,}; {before_mib:.0f} MiB before, at most {max(watched.rss_mib):.0f} MiB")
    # Sending waits for nobody: had the worker kept up, this would be no overload.
    assert highest > count // 2
    assert max(watched.rss_mib) - before_mib < _BUFFERS_MIB
    world.end()
    world.judge()
