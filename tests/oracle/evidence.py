"""All that an installation's topics hold at the end of a run, read once for every question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple

import yaml

from schemas.records import LESSON_DECODER, Lesson
from schemas.topics import DECISIONS, INPUTS, LESSONS, NEXT_BEST_ACTIONS, Topic
from schemas.wire import decode_action, decode_decision
from streams.core.state.codec import PARTITION_KEY, decode_customer
from streams.core.state.customer import CustomerState
from tests.integration.world import World
from tests.oracle import expected
from tests.oracle.replay import Replay, replay
from tests.oracle.sums import HOUR_MS, Event
from tests.support.shops import SHOP


class Contact(NamedTuple):
    """An action that was chosen for a customer."""

    decision_id: str
    decided_at_ms: int
    action: str
    issue: str
    family: str | None
    channel: str


@dataclass(frozen=True)
class Evidence:
    """What was sent and what is there; `end_ms` is the time of the last tick, behind all events.

    `events` are each customer's by the time they happened, `sources` the highest offset of each
    of their sources. The catalogue is that of `tests.support.shops`.
    """

    world: World
    end_ms: int
    salt: str
    events: Mapping[str, list[Event]]
    sources: Mapping[str, Mapping[str, int]]

    @cached_property
    def replay(self) -> Replay:
        """What the timeline leads to when the pure engine reads it from its beginning."""
        return replay(self.world, self.salt)

    @cached_property
    def encoded_states(self) -> Mapping[int, Mapping[str, bytes]]:
        """Each timeline partition's newest states, as they are stored."""
        return self.world.states()

    @cached_property
    def states(self) -> Mapping[str, CustomerState]:
        """Each customer's stored state."""
        return {
            key: decode_customer(data)
            for partition in self.encoded_states.values()
            for key, data in partition.items()
            if key != PARTITION_KEY
        }

    @cached_property
    def actions(self) -> Mapping[str, Mapping[bytes, None]]:
        """Every content that was published under each decision's id, in order."""
        return _by_id(self.world, NEXT_BEST_ACTIONS)

    @cached_property
    def decisions(self) -> Mapping[str, Mapping[bytes, None]]:
        """Every content that was written for audit under each decision's id, in order."""
        return _by_id(self.world, DECISIONS)

    @cached_property
    def contacts(self) -> Mapping[str, list[Contact]]:
        """Each customer's contacts, in the order in which they were first decided.

        Those of held-out customers too: they got nothing, and limits bind them all the same.
        """
        found: dict[str, list[Contact]] = defaultdict(list)
        for contents in self.decisions.values():
            decision = decode_decision(next(iter(contents)))
            if decision.treatment is not None:
                issue, family, channel = offers()[decision.chosen, decision.treatment]
                place = (decision.decision_id, decision.decided_at_ms, decision.chosen)
                found[decision.customer].append(Contact(*place, issue, family, channel))
        return found

    @cached_property
    def lessons(self) -> list[Lesson]:
        """Every record of the lessons, repeats too."""
        return [LESSON_DECODER.decode(m.value() or b"") for m in self.world.read(LESSONS)]

    def quiet_ms(self) -> int:
        """Return after how long somebody has gone quiet."""
        return int(shop()["timers"]["gone_quiet_days"] * 24 * HOUR_MS)

    def window_ms(self, issue: str) -> int:
        """Return the attribution window of an issue."""
        (reward,) = (each["reward"] for each in shop()["issues"] if each["id"] == issue)
        return int(reward["window_hours"] * HOUR_MS)


@cache
def shop() -> Mapping[str, Any]:
    """Return the catalogue as plain YAML, not through the product's loader."""
    found: Mapping[str, Any] = yaml.safe_load(SHOP)
    return found


@cache
def offers() -> Mapping[tuple[str, str], tuple[str, str | None, str]]:
    """Return the issue, the family and the channel of each (action, treatment)."""
    found = {}
    for issue in shop()["issues"]:
        # Actions stand under a family, under each of all, or under none.
        groups: list[tuple[str | None, Any]] = [(None, issue.get("actions", []))]
        for group in issue.get("families", []):
            families = shop()["families"] if "each" in group else [group["id"]]
            groups += [(family, group["actions"]) for family in families]
        for family, actions in groups:
            for action in actions:
                name = action["id"].replace("{family}", family or "")
                for treatment in action["treatments"]:
                    place = (issue["id"], family, treatment["channel"])
                    found[name, treatment["id"]] = place
    return found


def gather(world: World, end_ms: int, salt: str) -> Evidence:
    """Read the input topics to their end; everything else is read when it is asked for."""
    read = [
        expected.read(topic.name, message)
        for topic in INPUTS
        for message in world.read(topic)
        if (message.topic(), message.partition(), message.offset()) not in world.bad
    ]
    by_customer = defaultdict(list)
    for event in read:
        by_customer[event["customer_id"]].append(event)
    sources = {customer: expected.sources(sent) for customer, sent in by_customer.items()}
    return Evidence(world, end_ms, salt, expected.by_customer(read), sources)


def _by_id(world: World, topic: Topic) -> dict[str, dict[bytes, None]]:
    found: dict[str, dict[bytes, None]] = defaultdict(dict)
    for message in world.read(topic):
        value = message.value() or b""
        decided = decode_action(value) if topic is NEXT_BEST_ACTIONS else decode_decision(value)
        assert message.key() == decided.customer.encode()
        found[decided.decision_id][value] = None
    return found
