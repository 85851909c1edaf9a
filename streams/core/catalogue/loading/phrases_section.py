"""The phrases of a catalogue: why a customer sees something, in the business's own words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from streams.core.catalogue.loading.templates import checked_phrase
from streams.core.catalogue.phrases import DEFAULT_PHRASES
from streams.core.rules import Features
from streams.core.rules.feature_types import offered
from streams.core.suggestions import near
from streams.core.yaml_file.typed_node import TypedNode

_MAX_PHRASE_CHARS = 200
# A moment has its own phrase.
_AT_A_MOMENT = "at_"


def read_phrases(
    place: TypedNode | None, features: Features, moments: Collection[str]
) -> Mapping[str, str]:
    """Return the phrase of each moment and of each feature that a customer may read of.

    What the catalogue leaves out has its default; a feature with `null` is never named.
    """
    phrases = dict(DEFAULT_PHRASES)
    known = [*moments, *(n for n in offered(features) if not n.startswith(_AT_A_MOMENT))]
    for name, entry in ((place.entries() if place else None) or {}).items():
        if name not in known:
            hint = near(name, known) or "; name a moment or a feature that rules may ask for"
            entry.wrong(f"`{name}` is neither a moment nor a feature{hint}")
        elif not entry.is_null:
            text = checked_phrase(entry, _MAX_PHRASE_CHARS, is_of_feature=name not in moments)
            phrases[name] = text or ""
        elif name in moments:
            entry.wrong("a moment needs a phrase: it explains actions without a `why`")
        else:
            phrases.pop(name, None)
    return MappingProxyType(phrases)
