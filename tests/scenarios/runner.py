"""Scenarios: given records and ticks, what must be decided. One file, several drivers.

A file is JSON Lines; its name is the claim. Each line is one of

- `{"topic": ..., "value": {...}}`: an input record as its Avro schema has it; `occurred_at` is
  ISO text, `event_id` may be left out. An outcome with `"answers": n` is about the n-th action
  (from 0) that was published to its customer. `"raw"` instead of `"value"` is sent as it stands.
- `{"tick": "2024-01-15T12:00:00Z"}`: the clock.
- `{"catalogue": "grocer"}`, only as the first line: the starter pack it plays under, without
  chance and without held-out customers; else it is `small_shop.yaml`.
- `{"expect": {...}}`: the next decision for `customer`. `action` is what was chosen (or a list
  of what is allowed), `fates` the fates of some actions; every other name is a field of the
  decision or, where one was published, of the action.

For each customer the expected decisions are all there are, in this order. Nothing is expected of
the order between customers. `note` is for the reader.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any, Protocol

from schemas.records import Decision, NextBestAction
from schemas.wire import encode_event
from streams.core.catalogue.values import Catalogue
from tests.support.shops import load

FOLDER = Path(__file__).parent
PACKS = FOLDER.parents[1] / "deploy" / "catalogue"
SMALL_SHOP = "small_shop"
# What a scenario sets aside of a starter pack: chance, and who is held out for comparison.
_CHANCE = re.compile(r"^(holdout_ratio|exploration|arms|ramp):.*$", re.MULTILINE)
_NO_CHANCE = "holdout_ratio: 0\nexploration: {gamma: 1_000_000}\n"

# What came out of one decision; no action where silence was chosen or the customer is held out.
Result = tuple[NextBestAction | None, Decision]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One file: its claim and its lines."""

    name: str
    lines: tuple[Mapping[str, Any], ...]
    pack: str = SMALL_SHOP

    @property
    def customers(self) -> frozenset[str]:
        """Whom it is about; no other scenario knows them."""
        return frozenset(line["expect"]["customer"] for line in self.lines if "expect" in line)


class Driver(Protocol):
    """Something that decides: the engine in memory, or a worker behind a broker.

    The catalogue of the scenario's pack is in use before the first record. Records of one customer
    keep their order, also those of different topics, and a tick stands behind everything that was
    sent before it: a driver that has to wait for that waits in `send` or `tick`.
    """

    def send(self, topic: str, payload: bytes) -> None:
        """Write one record to an input topic."""

    def tick(self, at_ms: int) -> None:
        """Write the time to the timeline."""

    def collect(self) -> Sequence[Result]:
        """Return everything decided so far, once all that was sent has been seen."""


def scenarios() -> list[Scenario]:
    """Return every scenario, by name."""
    return [_read(path) for path in sorted(FOLDER.glob("*.jsonl"))]


def catalogue_text(pack: str = SMALL_SHOP) -> str:
    """Return the YAML under which the scenarios of a pack are played."""
    if pack == SMALL_SHOP:
        return (FOLDER / "small_shop.yaml").read_text("utf-8")
    text = (PACKS / f"{pack}.yaml").read_text("utf-8")
    return _NO_CHANCE + _CHANCE.sub("", text)


def catalogue(pack: str = SMALL_SHOP) -> Catalogue:
    """Return the catalogue under which the scenarios of a pack are played."""
    return load(catalogue_text(pack))


def run(scenario: Scenario, driver: Driver) -> list[Result]:
    """Play a scenario; return what was decided for its customers."""
    for number, line in enumerate(scenario.lines, 1):
        if "tick" in line:
            driver.tick(to_ms(line["tick"]))
        elif "raw" in line:
            driver.send(line["topic"], line["raw"].encode())
        elif "topic" in line:
            driver.send(line["topic"], _payload(scenario, number, line, driver))
    return _about(scenario, driver.collect())


def check(scenario: Scenario, results: Sequence[Result]) -> None:
    """Assert that what was decided is what the scenario expects, customer by customer."""
    expected: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for line in scenario.lines:
        if "expect" in line:
            expected[line["expect"]["customer"]].append(line["expect"])
    found: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        found[result[1].customer].append(result)
    for customer in sorted(expected.keys() | found.keys()):
        rows = [_row(*pair) for pair in zip_longest(expected[customer], found[customer])]
        assert [seen for _, seen in rows] == [wanted for wanted, _ in rows], customer


def to_ms(text: str) -> int:
    """Return epoch milliseconds of ISO text with a zone."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def _read(path: Path) -> Scenario:
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    pack = lines.pop(0)["catalogue"] if "catalogue" in lines[0] else SMALL_SHOP
    return Scenario(path.stem, tuple(lines), pack)


def _about(scenario: Scenario, results: Sequence[Result]) -> list[Result]:
    return [result for result in results if result[1].customer in scenario.customers]


def _payload(scenario: Scenario, number: int, line: Mapping[str, Any], driver: Driver) -> bytes:
    value = {"event_id": f"{scenario.name[:80]}-{number}", **line["value"]}
    value["occurred_at"] = to_ms(value["occurred_at"])
    if (place := line.get("answers")) is not None:
        actions = [a for a, d in driver.collect() if a and d.customer == value["customer_id"]]
        value["decision_id"] = actions[place].decision_id
    return encode_event(line["topic"], value)


_Row = Mapping[str, Any] | None


def _row(want: _Row, result: Result | None) -> tuple[_Row, _Row]:
    """Return what was expected of a decision and what it was, in the words of the scenario."""
    if result is None:
        return want, None
    action, decision = result
    if want is None:
        return None, {"moment": decision.moment, "action": decision.chosen}
    seen = {name: _value(name, want, action, decision) for name in want}
    return {name: _wanted(name, want[name], seen[name]) for name in want}, seen


def _value(
    name: str, want: Mapping[str, Any], action: NextBestAction | None, decision: Decision
) -> object:
    if name == "action":
        return decision.chosen
    if name == "fates":
        fates = dict(zip(decision.actions, decision.fates, strict=True))
        return {key: fates.get(key) for key in want[name]}
    return getattr(decision if hasattr(decision, name) else action, name, None)


def _wanted(name: str, value: object, seen: object) -> object:
    if isinstance(value, str) and name.endswith("_ms"):
        return to_ms(value)
    # Of several actions that are allowed any one will do.
    return seen if isinstance(value, list) and seen in value else value
