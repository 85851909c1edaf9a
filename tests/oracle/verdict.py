"""What must hold at the end of any run, whatever happened to workers and brokers on the way.

Each question returns what is wrong, in words; nothing is right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

from models.snapshot.snapshot_codec import decode as decode_snapshot
from schemas.dead_letter_record import read_dead_letter
from schemas.records import ENCODER
from schemas.topics import DEAD_LETTERS, MODEL_SNAPSHOTS
from streams.core.state.event_ids import by_name
from tests.oracle import expected
from tests.oracle.compare import contact_times, differences, remembered
from tests.oracle.contacts import limits_exceeded
from tests.oracle.evidence import Contact, Evidence, shop
from tests.oracle.replay import contents, newest

# As many contacts as a state remembers.
_MOST_CONTACTS = 16
# As many decisions await their outcomes.
_MOST_PENDING = 8
_GRACE_MS = 5 * 60_000
# Of one kind of wrong; the rest is counted.
_SHOWN = 8


def states_differ(evidence: Evidence) -> list[str]:
    """Compare each customer's state with what follows from all that was ever sent."""
    wrong = differences(sorted(evidence.states), sorted(evidence.events), "customers")
    for customer, events in evidence.events.items():
        if customer not in evidence.states:
            continue
        state = evidence.states[customer]
        wanted = expected.expected(events, evidence.end_ms, evidence.quiet_ms())
        wrong += differences(remembered(state, wanted, evidence.end_ms), wanted, customer)
        if not wanted["erased_ms"]:
            wrong += differences(by_name(state.watermarks), evidence.sources[customer], customer)
    return wrong


def contacts_differ(evidence: Evidence) -> list[str]:
    """Compare remembered contacts and open decisions with the actions that were chosen."""
    wrong = []
    for customer, state in evidence.states.items():
        erased_ms = state.number("erased_ms")
        decided = evidence.contacts.get(customer, [])
        mine = [a for a in decided if a.decided_at_ms > erased_ms]
        contacts = sorted(action.decided_at_ms for action in mine)[-_MOST_CONTACTS:]
        wrong += differences(contact_times(state), contacts, f"{customer}/contacts")
        ends = {a.decision_id: a.decided_at_ms + evidence.window_ms(a.issue) for a in mine}
        awaited = _awaited(mine, ends)
        pending = {id_: end for id_, end in awaited.items() if end + _GRACE_MS > evidence.end_ms}
        found = {p.decision_id: p.window_end_ms for p in state.pending}
        wrong += differences(found, pending, f"{customer}/pending")
    return wrong


def _awaited(decided: list[Contact], ends: Mapping[str, int]) -> dict[str, int]:
    """Leave out service that went out while eight decisions awaited their outcomes."""
    purposes = {issue["id"]: issue["purpose"] for issue in shop()["issues"]}
    awaited: dict[str, int] = {}
    for each in decided:
        waiting = sum(end + _GRACE_MS > each.decided_at_ms for end in awaited.values())
        if purposes[each.issue] != "service" or waiting < _MOST_PENDING:
            awaited[each.decision_id] = ends[each.decision_id]
    return awaited


def replay_differs(evidence: Evidence) -> list[str]:
    """Compare the stored states, bit for bit, with those of a replay of the whole timeline."""
    found, wanted = evidence.encoded_states, evidence.replay.states
    return [
        f"timeline partition {number}: the stored state of {key!r} is not that of a replay"
        for number in wanted
        for key in found[number].keys() | wanted[number].keys()
        if found[number].get(key) != wanted[number].get(key)
    ]


def contents_differ(evidence: Evidence) -> list[str]:
    """Look for a decision with two contents, or with another one than in a replay, or for none."""
    wrong = []
    for what, found, wanted in (
        ("decision", evidence.decisions, evidence.replay.decisions),
        ("action", evidence.actions, evidence.replay.actions),
    ):
        wrong += [f"{what} {id_} is missing" for id_ in wanted.keys() - found.keys()]
        wrong += [f"{what} {id_} comes of nothing" for id_ in found.keys() - wanted.keys()]
        wrong += [
            f"{what} {id_} has {len(found[id_])} contents, and not just that of a replay"
            for id_ in found.keys() & wanted.keys()
            if set(found[id_]) != {wanted[id_]}
        ]
    return wrong


def learned_twice(evidence: Evidence) -> list[str]:
    """Compare what the newest model has learned with the decisions that were settled."""
    settled = defaultdict(set)
    for lesson in evidence.lessons:
        settled[lesson.decision_id].add(ENCODER.encode(lesson))
    wanted = {each.decision_id: {ENCODER.encode(each)} for each in evidence.replay.lessons}
    wrong = [
        f"lesson {id_}: {len(settled.get(id_, ()))} contents instead of {len(wanted.get(id_, ()))}"
        for id_ in settled.keys() | wanted.keys()
        if settled.get(id_) != wanted.get(id_)
    ]
    snapshots = newest(evidence.world.read(MODEL_SNAPSHOTS))
    if not snapshots:
        return wrong + (["lessons, but no snapshot"] if settled else [])
    last = decode_snapshot(snapshots[max(snapshots)])
    told = {each.decision_id for each in evidence.replay.lessons if each.published}
    # What nobody got teaches nothing; what came again is counted as such first.
    refused = {
        "held_out": len(settled) - len(told),
        "repeated": len(evidence.lessons) - len(settled),
    }
    model = {
        "next_lesson_offset": last.next_lesson_offset,
        "evidence": last.overall.lessons,
        "evidence by action": sum(quality.lessons for quality in last.quality.values()),
        "refused": last.refused,
    }
    right = {
        "next_lesson_offset": len(evidence.lessons),
        "evidence": len(told),
        "evidence by action": len(told),
        "refused": {reason: count for reason, count in refused.items() if count},
    }
    return wrong + differences(model, right, "newest model")


def models_differ(evidence: Evidence) -> list[str]:
    """Look for a model version that was published with two contents."""
    versions = contents(evidence.world.read(MODEL_SNAPSHOTS))
    return [
        f"model {key.decode()} has {len(values)} contents"
        for key, values in versions.items()
        if len(values) > 1
    ]


def dead_letters_differ(evidence: Evidence) -> list[str]:
    """Compare the dead letters with the bad records that were sent."""
    world = evidence.world
    found = {}
    for message in world.read(DEAD_LETTERS):
        letter = read_dead_letter(message.key(), message.value(), message.headers())
        origin = letter.origin
        place = (world.name(origin.topic), origin.partition, origin.offset)
        found[place] = letter.rejection.reason
    return [
        f"{place}: {found.get(place)} instead of {world.bad.get(place)}"
        for place in found.keys() | world.bad.keys()
        if found.get(place) != world.bad.get(place)
    ]


QUESTIONS: Mapping[str, Callable[[Evidence], list[str]]] = {
    "states": states_differ,
    "contacts": contacts_differ,
    "contact limits": limits_exceeded,
    "replay": replay_differs,
    "decisions": contents_differ,
    "lessons": learned_twice,
    "models": models_differ,
    "dead letters": dead_letters_differ,
}


def wrongs(evidence: Evidence) -> list[str]:
    """Ask everything; return some of each kind of wrong, and how many there are."""
    found = []
    for about, question in QUESTIONS.items():
        wrong = question(evidence)
        if wrong:
            found.append(f"{about}: {len(wrong)} wrong")
            found += [f"  {each}" for each in sorted(wrong)[:_SHOWN]]
    return found
