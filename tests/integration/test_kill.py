"""A worker is killed in the middle of a story: at its end nothing is lost, doubled or changed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import yaml

from models.snapshot_codec import decode as decode_snapshot
from schemas.dead_letters import read_dead_letter
from schemas.records import ENCODER, LESSON_DECODER
from schemas.topics import (
    DEAD_LETTERS,
    DECISIONS,
    INPUTS,
    LESSONS,
    MODEL_SNAPSHOTS,
    NEXT_BEST_ACTIONS,
    Topic,
)
from schemas.wire import decode_action, decode_decision
from streams.core.codec import PARTITION_KEY, decode_customer
from streams.runtime.worker import EXIT_OK
from tests.integration import oracle
from tests.integration.oracle_compare import contact_times, differences, remembered
from tests.integration.world import READS, World, write_catalogue
from tests.integration.world_input import DAY_MS, HOUR_MS, MINUTE_MS
from tests.integration.world_replay import contents, newest
from tests.integration.world_story import END_MS, Told, tell
from tests.shops import SHOP

_SHOP = yaml.safe_load(SHOP)
_QUIET_MS = _SHOP["timers"]["gone_quiet_days"] * DAY_MS
_REWARDS = {issue["id"]: issue["reward"] for issue in _SHOP["issues"]}
_MOST_CONTACTS = 16
_GRACE_MS = 5 * MINUTE_MS


@pytest.fixture(
    scope="module",
    params=[
        ("embedded_broker", 5_000, ""),
        # Sent, and not yet known to be: intake sends it again.
        ("embedded_broker", 3_000, "intake:outputs:1"),
        # State that is ahead of the committed offsets.
        ("embedded_broker", 3_000, "decide:changelog:1"),
        ("kafka", 50_000, ""),
    ],
    ids=["in_5000_events", "behind_intakes_outputs", "behind_the_changelog", "in_50000_on_kafka"],
)
def told(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Told]:
    broker_fixture, count, failpoint = request.param
    broker = request.getfixturevalue(broker_fixture)
    path: Path = write_catalogue(tmp_path_factory.mktemp("shop"), SHOP)
    world = World(
        broker.bootstrap,
        f"k{uuid4().hex[:10]}.",
        catalogue_path=path,
        snapshot_every_lessons=200,
        # The replay must find every version that was ever used.
        keep_snapshots=1_000,
    )
    try:
        yield tell(world, count, seed=11, failpoint=failpoint)
    finally:
        world.close()


def test_the_worker_was_killed_while_busy_and_then_ended_in_order(told: Told) -> None:
    assert told.behind_when_killed > 250
    assert told.exit_code == EXIT_OK
    assert sum(told.world.ends(INPUTS).values()) == told.sent
    ends = told.world.ends([topic for topics in READS.values() for topic in topics])
    assert told.world.committed() == ends


def test_every_customers_state_is_what_an_independent_recomputation_says(told: Told) -> None:
    states = {
        key: decode_customer(data)
        for partition in told.world.states().values()
        for key, data in partition.items()
        if key != PARTITION_KEY
    }
    assert states.keys() == told.events.keys()
    wrong = []
    for customer, events in told.events.items():
        wanted = oracle.expected(events, END_MS, _QUIET_MS)
        found = remembered(states[customer], wanted, END_MS)
        wrong += differences(found, wanted, customer)
        if not wanted["erased_ms"]:
            wrong += differences(states[customer].watermarks, told.sources[customer], customer)
    assert wrong == []


def test_contacts_and_pending_decisions_are_those_that_were_published(told: Told) -> None:
    published = defaultdict(list)
    for value in _by_id(told.world, NEXT_BEST_ACTIONS).values():
        (content,) = value
        action = decode_action(content)
        published[action.customer].append(action)
    wrong = []
    for partition in told.world.states().values():
        for customer, data in partition.items():
            if customer == PARTITION_KEY:
                continue
            state = decode_customer(data)
            erased_ms = state.number("erased_ms")
            mine = [a for a in published[customer] if a.decided_at_ms > erased_ms]
            contacts = sorted(action.decided_at_ms for action in mine)[-_MOST_CONTACTS:]
            wrong += differences(contact_times(state), contacts, f"{customer}/contacts")
            ends = {a.decision_id: a.decided_at_ms + _window_ms(a.issue) for a in mine}
            pending = {id_: end for id_, end in ends.items() if end + _GRACE_MS > END_MS}
            found = {p.decision_id: p.window_end_ms for p in state.pending}
            wrong += differences(found, pending, f"{customer}/pending")
    assert wrong == []


def test_the_stored_states_are_those_of_a_replay_from_the_beginning_bit_for_bit(
    told: Told,
) -> None:
    assert told.world.states() == told.replay.states


def test_every_decision_and_action_has_one_content_and_it_is_that_of_the_replay(
    told: Told,
) -> None:
    for topic, replayed in (
        (DECISIONS, told.replay.decisions),
        (NEXT_BEST_ACTIONS, told.replay.actions),
    ):
        found = _by_id(told.world, topic)
        assert found.keys() == replayed.keys()
        changed = [id_ for id_, content in found.items() if content != {replayed[id_]}]
        assert changed == []


def test_every_settled_decision_is_learned_once(told: Told) -> None:
    lessons = [LESSON_DECODER.decode(m.value() or b"") for m in told.world.read(LESSONS)]
    by_id = defaultdict(set)
    for lesson in lessons:
        by_id[lesson.decision_id].add(ENCODER.encode(lesson))
    assert by_id == {each.decision_id: {ENCODER.encode(each)} for each in told.replay.lessons}
    snapshots = newest(told.world.read(MODEL_SNAPSHOTS))
    last = decode_snapshot(snapshots[max(snapshots)])
    assert last.next_lesson_offset == len(lessons)
    assert last.overall.lessons == len(by_id)
    assert last.refused == (
        {"repeated": len(lessons) - len(by_id)} if lessons[len(by_id) :] else {}
    )
    assert sum(quality.lessons for quality in last.quality.values()) == len(by_id)


def test_a_lesson_is_rewarded_when_the_answer_came_within_the_window(told: Told) -> None:
    answered = defaultdict(list)
    for events in told.events.values():
        for event in events:
            if event["topic"] == "outcomes":
                answered[event["decision_id"]].append((event["kind"], event["at"]))
    wrong = []
    for lesson in told.replay.lessons:
        reward = _REWARDS[lesson.issue]
        over_ms = lesson.decided_at_ms + _window_ms(lesson.issue)
        rewarded = any(
            kind in reward["outcomes"] and lesson.decided_at_ms <= at_ms <= over_ms
            for kind, at_ms in answered[lesson.decision_id]
        )
        if not reward.get("family_purchase") and lesson.label != float(rewarded):
            wrong.append(lesson.decision_id)
    assert wrong == []


def test_every_model_version_has_one_content(told: Told) -> None:
    versions = contents(told.world.read(MODEL_SNAPSHOTS))
    assert [key for key, values in versions.items() if len(values) > 1] == []


def test_dead_letters_are_exactly_the_bad_records(told: Told) -> None:
    found = {}
    for message in told.world.read(DEAD_LETTERS):
        letter = read_dead_letter(message.key(), message.value(), message.headers())
        origin = letter.origin
        place = (told.world.name(origin.topic), origin.partition, origin.offset)
        found[place] = letter.rejection.reason
    assert found == told.world.bad


def test_the_story_had_everything_in_it(told: Told) -> None:
    kinds = Counter(event["kind"] for events in told.events.values() for event in events)
    labels = Counter(lesson.label for lesson in told.replay.lessons)
    moments = Counter(decision.moment for decision in told.replay.decided)
    arms = Counter(decision.arm for decision in told.replay.decided)
    versions = Counter(decision.model_version for decision in told.replay.decided)
    for named in ("erasure", "unsubscribe", "refund", "consent", "accept", "rated", "reopened"):
        assert kinds[named]
    assert min(labels[0.0], labels[1.0]) > told.sent // 500
    assert len(moments) >= 8
    assert min(arms["treated"], arms["holdout"]) > told.sent // 100
    assert len(versions) >= 2
    assert len(told.world.bad) > 5
    assert sum(map(len, told.events.values())) < told.sent - len(told.world.bad)


def _by_id(world: World, topic: Topic) -> dict[str, set[bytes]]:
    """Return every content of a topic's records under each decision's id."""
    found: dict[str, set[bytes]] = defaultdict(set)
    for message in world.read(topic):
        value = message.value() or b""
        decided = decode_action(value) if topic is NEXT_BEST_ACTIONS else decode_decision(value)
        assert message.key() == decided.customer.encode()
        found[decided.decision_id].add(value)
    return found


def _window_ms(issue: str) -> int:
    return int(_REWARDS[issue]["window_hours"] * HOUR_MS)
