"""A catalogue on its topic that this release refuses: the leader's good file decides, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.topics import CATALOGUES, DECISIONS
from schemas.wire import decode_decision
from streams.shell.kafka.embedded import EmbeddedBroker
from streams.shell.process.serve import EXIT_CONFIG
from tests.chaos.faults import last_line, write
from tests.chaos.world import ChaosWorld
from tests.integration.world import write_catalogue
from tests.support.shops import SHOP, SHOP_TOMORROW, load

pytestmark = pytest.mark.long


def _spoil_published(world: ChaosWorld) -> str:
    """Make the published catalogue one that rules have outgrown; return its version."""
    (published,) = {(m.key(), m.partition()) for m in world.read(CATALOGUES)}
    key, partition = published
    strange = SHOP.replace("currency: EUR", "currency: EUR\nlucky_numbers: [7]").encode()
    write(world, world.name(CATALOGUES), key or b"", strange, partition or 0)
    return (key or b"").decode()


def _half_told(world: ChaosWorld) -> None:
    worker = world.start_ready()
    world.tell(300)
    world.await_drained()
    world.terminate(worker)


def test_it_is_stood_for_by_the_one_that_the_leader_brings(
    embedded_broker: EmbeddedBroker, tmp_path: Path, seed: int
) -> None:
    with ChaosWorld(embedded_broker.bootstrap, tmp_path, events=1_000, seed=seed) as world:
        _half_told(world)
        before = _spoil_published(world)
        decided = len(world.read(DECISIONS))
        # Read under the old catalogue: the switch to the new one comes behind them.
        world.tell(100, keeping_up=False)
        worker = world.start_ready(catalogue_path=write_catalogue(tmp_path, SHOP_TOMORROW))
        world.tell(200)
        world.await_drained()
        after = load(SHOP_TOMORROW).version
        assert f"catalogue {before[:12]} is refused by this release" in worker.said()
        assert f"{after[:12]} is used instead" in worker.said()
        newer = [decode_decision(m.value() or b"") for m in world.read(DECISIONS)]
        used = {each.catalogue_version for each in newer}
        assert len(newer) > decided
        assert used == {before, after}
        assert sum(each.catalogue_version == before for each in newer) == decided
        world.terminate(worker)


@pytest.mark.chaos
def test_without_a_good_one_decide_says_what_is_wrong_and_what_to_do(
    embedded_broker: EmbeddedBroker, tmp_path: Path, seed: int
) -> None:
    with ChaosWorld(embedded_broker.bootstrap, tmp_path, events=1_000, seed=seed) as world:
        _half_told(world)
        before = _spoil_published(world)
        refused = world.start(roles="decide")
        world.alive.remove(refused)
        assert refused.ended() == EXIT_CONFIG
        assert f"catalogue {before[:12]}, which the timeline names, is refused" in last_line(
            refused
        )
        assert "lucky_numbers" in last_line(refused)
        assert "Traceback" not in refused.said()
