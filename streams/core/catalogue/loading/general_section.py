"""What holds for the whole shop: families, consent and timers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

from streams.core.catalogue.loading.action_parts import YEAR_MS
from streams.core.catalogue.values import DEFAULT_CONSENT, ConsentRule, Timers
from streams.core.moments import SESSION_MOMENTS
from streams.core.units import DAY_MS, MINUTE_MS
from streams.core.yaml_file.durations import durations
from streams.core.yaml_file.typed_node import TypedNode

MAX_FAMILIES = 500
# Each one is a decision of its own that waits for its outcome; a customer has room for eight.
MAX_SLATE = 4
_CONSENT_RULES: tuple[ConsentRule, ...] = ("opt_in", "opt_out")


def read_families(place: TypedNode | None) -> Mapping[str, str]:
    """Return the families (id -> readable name) of a list of ids or an `id: name` mapping."""
    if place is None:
        return {}
    names = _named_families(place) if place.is_mapping else _listed_families(place)
    if len(names) > MAX_FAMILIES:
        place.wrong(f"{len(names)} families, the limit is {MAX_FAMILIES}")
    return names


def _named_families(place: TypedNode) -> dict[str, str]:
    names: dict[str, str] = {}
    for key, entry in (place.entries() or {}).items():
        name = entry.text(60)
        if entry.is_id(key):
            names[key] = name or key
    return names


def _listed_families(place: TypedNode) -> dict[str, str]:
    names: dict[str, str] = {}
    for item in place.items() or ():
        family = item.identifier()
        if family in names:
            item.wrong(f"family `{family}` is in this list twice")
        if family:
            names[family] = family.replace("_", " ")
    return names


def read_consent(place: TypedNode | None) -> Mapping[str, ConsentRule]:
    """Return how each purpose needs consent; one that is not named keeps the cautious default."""
    section = place.section(DEFAULT_CONSENT) if place else None
    consent = dict(DEFAULT_CONSENT)
    for purpose, entry in (section.entries if section else {}).items():
        rule = entry.word(_CONSENT_RULES, "consent rule")
        if rule:
            consent[purpose] = cast(ConsentRule, rule)
    return MappingProxyType(consent)


def read_slates(place: TypedNode | None) -> Mapping[str, int]:
    """Return how many actions the placement of each moment shows, where that is more than one."""
    slates: dict[str, int] = {}
    for moment, entry in ((place.entries() if place else None) or {}).items():
        if moment not in SESSION_MOMENTS:
            known = ", ".join(sorted(SESSION_MOMENTS))
            entry.wrong(f"`{moment}` has no placement of several actions; those that have: {known}")
        places = entry.whole(2, MAX_SLATE)
        slates[moment] = places or 1
    return MappingProxyType(slates)


def read_timers(place: TypedNode | None) -> Timers:
    """Return the timers, with defaults for those not named."""
    section = place.section((*durations("cart_left"), *durations("gone_quiet"))) if place else None
    default = Timers()
    if section is None:
        return default
    cart_left_ms = section.duration_ms("cart_left", MINUTE_MS, 7 * DAY_MS)
    gone_quiet_ms = section.duration_ms("gone_quiet", DAY_MS, YEAR_MS)
    return Timers(
        cart_left_ms=cart_left_ms or default.cart_left_ms,
        gone_quiet_ms=gone_quiet_ms or default.gone_quiet_ms,
    )
