"""Print digests of what a change of layout or names must not change.

`python -m tests.support.digests` plays every scenario file, 30 days of the demo and one simulated
history with faults, each from a fixed seed, and prints one digest a line: of the decisions, actions
and lessons that came out, of the stored states, and of every topic. Run it before and after a
change that should not alter behaviour, and compare the output with `diff`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from hashlib import blake2b

from models.snapshot import snapshot_codec
from schemas.wire import encode_action, encode_decision
from streams.demo.online_retail import open_shipped, read_invoices
from streams.demo.simulator import Simulator
from streams.demo.story import Story
from tests.scenarios.in_memory import InMemory
from tests.scenarios.runner import Result, run, scenarios
from tests.simulation.world import history
from tests.support.loopback import LoopbackRoad, shop
from tests.support.memory import MemoryStore

_DEMO_DAYS = 30
_SIMULATED_STEPS = 400


def digest(parts: Iterable[bytes]) -> str:
    """Return a short digest of a sequence of byte strings; where one ends matters."""
    found = blake2b(digest_size=12)
    for part in parts:
        found.update(len(part).to_bytes(8, "little"))
        found.update(part)
    return found.hexdigest()


def stored(store: MemoryStore) -> str:
    """Return the digest of everything that a store would write to its changelog."""
    customers, partition = store.save()
    return digest(
        [*(part for key in sorted(customers) for part in (key.encode(), customers[key])), partition]
    )


def _published(results: Sequence[Result]) -> Iterator[bytes]:
    for action, decision in results:
        yield b"" if action is None else encode_action(action)
        yield encode_decision(decision)


def main() -> None:
    """Print all digests."""
    for scenario in scenarios():
        driver = InMemory(scenario.pack)
        results = run(scenario, driver)
        print(f"scenario {scenario.name}", digest(_published(results)))
        print(f"scenario {scenario.name} state", stored(driver.store))
    _demo()
    _simulation()


def _demo() -> None:
    with open_shipped() as file:
        invoices = [invoice for invoice in read_invoices(file) if invoice.day < date(2011, 1, 1)]
    road = LoopbackRoad(shop())
    story = Story(Simulator(1, invoices), invoices, road, shop())
    answered = [each for day in story.run(_DEMO_DAYS) for each in day.answered]
    print("demo actions", digest(encode_action(each.action) for each in answered))
    print("demo decisions", digest(encode_decision(each) for each in road.decisions))
    for number, store in enumerate(road.stores):
        print(f"demo state {number}", stored(store))
    print("demo snapshots", digest(snapshot_codec.encode(s) for s in road.snapshots))


def _simulation() -> None:
    logs = history(7, _SIMULATED_STEPS).cluster.logs
    for place in sorted(logs):
        records = logs[place]
        print(
            f"simulation {place.topic} {place.partition}",
            digest(part for r in records for part in (r.key or b"", r.value or b"")),
        )


if __name__ == "__main__":
    main()
