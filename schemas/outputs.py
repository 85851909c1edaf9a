"""Next-best-actions and decisions as the plain values that Avro carries, and back."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import msgspec

from schemas.records import Challenge, Decision, NextBestAction, Trigger

# The fields whose public name differs from the struct's.
PUBLIC_NAMES = {
    "customer": "customer_id",
    "decided_at_ms": "decided_at",
    "valid_until_ms": "valid_until",
    "seen_at_ms": "seen_at",
}


def _fields(struct: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(field.name for field in msgspec.structs.fields(struct) if field.name != "trigger")


def _public(fields: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(PUBLIC_NAMES.get(field, field) for field in fields)


_ACTION, _DECISION, _TRIGGER = _fields(NextBestAction), _fields(Decision), _fields(Trigger)
_ACTION_PUBLIC, _DECISION_PUBLIC = _public(_ACTION), _public(_DECISION)
_TRIGGER_PUBLIC = _public(_TRIGGER)
_action_values, _decision_values = attrgetter(*_ACTION), attrgetter(*_DECISION)
_trigger_values = attrgetter(*_TRIGGER)


def action_to_public(action: NextBestAction) -> dict[str, Any]:
    """Return the action as a value of the next-best-actions schema."""
    value = dict(zip(_ACTION_PUBLIC, _action_values(action), strict=True))
    value["trigger"] = _trigger_to_public(action.trigger)
    return value


def action_from_public(value: dict[str, Any]) -> NextBestAction:
    """Return the action that a value of the next-best-actions schema holds."""
    named = {field: value[public] for field, public in zip(_ACTION, _ACTION_PUBLIC, strict=True)}
    return NextBestAction(**named, trigger=_trigger_from_public(value["trigger"]))


def decision_to_public(decision: Decision) -> dict[str, Any]:
    """Return the decision as a value of the decisions schema."""
    value = dict(zip(_DECISION_PUBLIC, _decision_values(decision), strict=True))
    if decision.challenger is not None:
        value["challenger"] = msgspec.structs.asdict(decision.challenger)
    value["trigger"] = _trigger_to_public(decision.trigger)
    return value


def decision_from_public(value: dict[str, Any]) -> Decision:
    """Return the decision that a value of the decisions schema holds."""
    named = {
        field: value[public] for field, public in zip(_DECISION, _DECISION_PUBLIC, strict=True)
    }
    if (challenger := named["challenger"]) is not None:
        named["challenger"] = Challenge(**challenger)
    return Decision(**named, trigger=_trigger_from_public(value["trigger"]))


def _trigger_to_public(trigger: Trigger) -> dict[str, Any]:
    return dict(zip(_TRIGGER_PUBLIC, _trigger_values(trigger), strict=True))


def _trigger_from_public(value: dict[str, Any]) -> Trigger:
    named = {field: value[public] for field, public in zip(_TRIGGER, _TRIGGER_PUBLIC, strict=True)}
    return Trigger(**named)
