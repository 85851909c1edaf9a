"""What must hold at the end of a history, whatever went wrong on the way.

Each law returns what is wrong, in words; nothing is right. Some compare with a run that nothing
interrupted, over the timeline as it came to be; the others count anew, naively.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from schemas.records import (
    ENCODER,
    CustomerEvent,
    Decision,
    NextBestAction,
    Outcome,
    Purchase,
    Support,
    Tick,
)
from schemas.topics import DECISIONS, NEXT_BEST_ACTIONS
from streams.core.catalogue.values import Action
from streams.core.folds.attribution import SETTLE_GRACE_MS
from streams.core.policy.budgets import is_in
from streams.core.state.codec import PARTITION_KEY, decode_customer, decode_partition
from streams.core.state.counted_ids import TIME_BYTES, entries, kind_of, remembered_as
from streams.core.state.customer import CustomerState
from streams.core.state.event_ids import apart, by_name, event_id_hash
from streams.core.units import DAY_MS
from streams.shell.kafka_records import Partition
from tests.simulation.cluster import LESSONS, SNAPSHOTS
from tests.simulation.endings import WorkerExit, ending_of
from tests.simulation.roles import CheapBank, CheapVersions
from tests.simulation.world import World

# Ids of events that a state remembers, of any kind.
_REMEMBERED = 14


# -- against the uninterrupted run -------------------------------------------------------------


def states_differ(ending: WorkerExit) -> Iterator[str]:
    """States, budgets and switches are, byte for byte, those of the uninterrupted run."""
    for number, wanted in ending.alone.states.items():
        found = ending.states[number]
        for key in sorted(found.keys() | wanted.keys()):
            if found.get(key) != wanted.get(key):
                yield f"state of {key!r} in {number} is not that of the uninterrupted run"


def outputs_differ(ending: WorkerExit) -> Iterator[str]:
    """Every output of the uninterrupted run went out, with that content only, and no other did."""
    encoders, alone = ending.world.encoders, ending.alone
    for topic, wanted in (
        (DECISIONS.name, {d.decision_id: encoders.decision(d) for d in alone.decisions}),
        (NEXT_BEST_ACTIONS.name, {i: encoders.action(a) for i, a in alone.actions.items()}),
        (LESSONS, {lesson.decision_id: ENCODER.encode(lesson) for lesson in alone.lessons}),
    ):
        found = ending.written(topic)
        for id_ in sorted(found.keys() | wanted.keys()):
            contents = found.get(id_, set())
            if len(contents) > 1:
                yield f"{topic}: {id_} has {len(contents)} contents"
            if contents != ({wanted[id_]} if id_ in wanted else set()):
                yield f"{topic}: {id_} is not what the uninterrupted run gives"


# -- naive recounts ----------------------------------------------------------------------------


def folded_otherwise(ending: WorkerExit) -> Iterator[str]:
    """Each event that anybody sent is in its customer's state, once."""
    states = {
        customer: decode_customer(data)
        for by_key in ending.states.values()
        for customer, data in by_key.items()
        if customer != PARTITION_KEY
    }
    for customer, sent in ending.events.items():
        if ending.erased(customer):
            continue
        state = states.get(customer, CustomerState())
        once = list({(e.origin.topic, e.event_id): e for e in sent}.values())
        kinds = Counter((type(e), e.kind) for e in once)
        wanted: dict[str, Any] = {
            "orders": kinds[Purchase, "order"],
            "refunds": kinds[Purchase, "refund"],
            "tickets": kinds[Support, "opened"],
            "accepts": kinds[Outcome, "accept"],
            "rejects": kinds[Outcome, "reject"],
            # Sent in the order of their offsets, so the last one stands.
            "sources": {f"{e.origin.topic}/{e.origin.partition}": e.origin.offset for e in sent},
        }
        found: dict[str, Any] = {
            name: int(state.number(f"total_{name}")) for name in wanted if name != "sources"
        }
        found["sources"] = by_name(state.watermarks)
        if len(once) <= _REMEMBERED:
            wanted["ids"] = sorted(map(_remembered_as, once))
            found["ids"] = sorted(_remembered(state, {each for _, each in wanted["ids"]}))
        for name, value in wanted.items():
            if found[name] != value:
                yield f"{customer}: {name} {found[name]} instead of {value}"


def _remembered_as(event: CustomerEvent) -> tuple[int, bytes]:
    """Return the kind under which an event's id is remembered, and the bytes that tell it."""
    kind = kind_of(event)
    if kind is None:
        return -1, event_id_hash(event.origin.topic, event.event_id)
    return kind, remembered_as(event)


def _remembered(state: CustomerState, wanted: set[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the ids in a state; orders also have their contents among those of no kind."""
    for kind, ids in state.known_ids.items():
        yield from ((kind, entry[TIME_BYTES:]) for entry in entries(ids))
    yield from ((-1, known) for known in apart(state.recent_ids) if known in wanted)


def limits_exceeded(ending: WorkerExit) -> Iterator[str]:
    """Count the contacts before each action, by each limit of its catalogue."""
    before: dict[str, list[NextBestAction]] = defaultdict(list)
    for decision in ending.alone.decisions:
        action = ending.alone.actions.get(decision.decision_id)
        if action is None or ending.erased(action.customer):
            continue
        catalogue = CheapVersions().catalogue(action.catalogue_version)
        for limit in catalogue.contact.limits:
            mine = None if limit.scope == "overall" else getattr(action, limit.scope)
            is_service = _declared(action).purpose == "service"
            names_it = limit.name is not None and limit.scope in ("action", "issue")
            if (is_service and not names_it) or limit.name not in (None, mine):
                continue
            if limit.scope != "overall" and mine is None:
                continue
            count = sum(
                other.decided_at_ms > action.decided_at_ms - limit.window_ms
                and (limit.scope == "overall" or getattr(other, limit.scope) == mine)
                for other in before[action.customer]
            )
            if count >= limit.max_contacts:
                yield f"{action.customer}: {action.decision_id} exceeds {limit.id}"
        before[action.customer].append(action)


def _declared(record: NextBestAction | Decision) -> Action:
    """Return the action that was chosen, as its catalogue declares it."""
    chosen = record.chosen if isinstance(record, Decision) else record.action
    catalogue = CheapVersions().catalogue(record.catalogue_version)
    return next(each for each in catalogue.actions if each.id == chosen)


def budgets_differ(ending: WorkerExit) -> Iterator[str]:
    """Count what was published of each budget on its last day, in the order of the timeline."""
    for number, by_key in ending.states.items():
        counted: dict[str, tuple[int, int]] = {}
        for decision in ending.alone.decisions:
            action = ending.alone.actions.get(decision.decision_id)
            if action is None or ending.alone.places[action.decision_id][0] != number:
                continue
            day = action.decided_at_ms // DAY_MS
            for budget in CheapVersions().catalogue(action.catalogue_version).budgets:
                if is_in(budget, _declared(action), action.channel):
                    last_day, count = counted.get(budget.id, (day, 0))
                    # What comes late from the day before counts with the day that has begun.
                    counted[budget.id] = (max(day, last_day), 1 + count * (day <= last_day))
        used = decode_partition(by_key[PARTITION_KEY]).used
        found = {name: (each.day, each.count) for name, each in used.items()}
        if found != counted:
            yield f"budgets of partition {number}: {found} instead of {counted}"


def learned_otherwise(ending: WorkerExit) -> Iterator[str]:
    """The newest model has learned each settled decision that was published, once."""
    snapshots = ending.world.cluster.logs[Partition(SNAPSHOTS, 0)]
    contents: dict[bytes | None, set[bytes | None]] = defaultdict(set)
    for record in snapshots:
        contents[record.key].add(record.value)
    yield from (
        f"model {key!r} has two contents" for key, each in contents.items() if len(each) > 1
    )
    settled = sorted(ending.written(LESSONS))
    for decision in ending.alone.decisions:
        if decision.decision_id not in settled and _is_over(ending, decision):
            yield f"decision {decision.decision_id} was never settled"
    newest = max(snapshots, key=lambda record: record.key or b"", default=None)
    learned: list[str] = []
    if newest is not None:
        learned = sorted(CheapBank.load("", newest.value or b"").learned)
    told = sorted(id_ for id_ in settled if id_ in ending.alone.actions)
    if learned != told:
        yield f"learned {len(learned)} lessons ({len(set(learned))} decisions) of {len(told)}"


def _is_over(ending: WorkerExit, decision: Decision) -> bool:
    """Tell whether a decision for an action has become a lesson by the last tick."""
    number, _ = ending.alone.places[decision.decision_id]
    last_ms = max(record.at_ms for _, record in ending.timeline[number] if isinstance(record, Tick))
    if decision.chosen == "no_action" or ending.erased(decision.customer):
        return False
    window_ms = _declared(decision).reward.window_ms
    return decision.decided_at_ms + window_ms + SETTLE_GRACE_MS <= last_ms


LAWS: tuple[Callable[[WorkerExit], Iterator[str]], ...] = (
    states_differ,
    outputs_differ,
    folded_otherwise,
    limits_exceeded,
    budgets_differ,
    learned_otherwise,
)


def wrongs(world: World) -> list[str]:
    """Return all that is wrong with a history that came to rest."""
    ending = ending_of(world)
    return [f"{law.__name__}: {wrong}" for law in LAWS for wrong in law(ending)]
