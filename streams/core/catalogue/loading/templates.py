"""The slots of texts and templated ids: `{family}`, and in messages `{name|there}`."""

from __future__ import annotations

import re

from streams.core.catalogue.values import PERSONAL_SLOTS, SLOTS, fill
from streams.core.suggestions import near
from streams.core.yaml_file.typed_node import TypedNode

_SLOT = re.compile(r"\{([^{}]*)\}")
_PERSONAL = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")
_MAX_MESSAGE_CHARS = 500


def checked_text(place: TypedNode, family_name: str | None, max_chars: int) -> str | None:
    """Return the text here with its slots filled."""
    text = place.text(max_chars)
    if text is None or not _are_sound(text, place, family_name is not None):
        return None
    return fill(text, family_name)


def checked_phrase(place: TypedNode, max_chars: int, is_of_feature: bool) -> str | None:
    """Return the phrase here; `{family}` stays open, and only a feature's phrase may have it."""
    text = place.text(max_chars)
    if text is None:
        return None
    if "{family}" in text and not is_of_feature:
        place.wrong("has the slot {family}, but a moment is about no family")
        return None
    return text if _are_sound(text, place, True) else None


def checked_message(place: TypedNode, family_name: str | None) -> str | None:
    """Return the message here; slots for what is known of a customer stay open."""
    text = place.text(_MAX_MESSAGE_CHARS)
    if text is None:
        return None
    for slot, default in _PERSONAL.findall(text):
        if slot not in PERSONAL_SLOTS:
            hint = near(slot, PERSONAL_SLOTS) or f"; known: {', '.join(PERSONAL_SLOTS)}"
            place.wrong(f"unknown slot {{{slot}|...}}{hint}")
            return None
        if not default.strip():
            place.wrong(f"{{{slot}|}} says nothing of those whose {slot} is not known")
            return None
    bare = next((s for s in _SLOT.findall(text) if s in PERSONAL_SLOTS), None)
    if bare is not None:
        place.wrong(f"{{{bare}}} needs words for those of whom it is not known: {{{bare}|...}}")
        return None
    if not _are_sound(_PERSONAL.sub("", text), place, family_name is not None):
        return None
    return fill(text, family_name)


def filled_id(place: TypedNode, family: str | None, copies: int) -> str | None:
    """Return the action id here; one that is for several families must contain `{family}`."""
    text = place.text()
    if text is None or not _are_sound(text, place, family is not None):
        return None
    if copies > 1 and "{family}" not in text:
        place.wrong(f"is for {copies} families; put the slot in its id: `{text}_{{family}}`")
        return None
    action_id = text.replace("{family}", family or "")
    return action_id if place.is_id(action_id) else None


def _are_sound(text: str, place: TypedNode, has_family: bool) -> bool:
    for slot in _SLOT.findall(text):
        if slot not in SLOTS:
            hint = near(slot, SLOTS) or f"; known: {', '.join(SLOTS)}"
            place.wrong(f"unknown slot {{{slot}}}{hint}")
            return False
        if not has_family:
            place.wrong(f"has the slot {{{slot}}}, but the action has no family")
            return False
    if "{" in _SLOT.sub("", text) or "}" in _SLOT.sub("", text):
        place.wrong("a single { or } ; braces are for slots such as {family}")
        return False
    return True
