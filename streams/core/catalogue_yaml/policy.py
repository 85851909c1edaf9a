"""What holds for the whole shop: families, consent, timers and contact limits."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

from streams.core.catalogue import DEFAULT_CONSENT, SCOPES, ConsentRule, ContactLimit, Scope, Timers
from streams.core.catalogue_yaml.durations import durations
from streams.core.catalogue_yaml.parts import YEAR_MS
from streams.core.catalogue_yaml.sections import Place, Section
from streams.core.layout import DAY_MS, MAX_CONTACTS, MINUTE_MS

MAX_FAMILIES = 500
_CONSENT_RULES: tuple[ConsentRule, ...] = ("opt_in", "opt_out")


def read_families(place: Place | None) -> Mapping[str, str]:
    """Return the families (id -> readable name) of a list of ids or an `id: name` mapping."""
    if place is None:
        return {}
    names = _named_families(place) if place.is_mapping else _listed_families(place)
    if len(names) > MAX_FAMILIES:
        place.wrong(f"{len(names)} families, the limit is {MAX_FAMILIES}")
    return names


def _named_families(place: Place) -> dict[str, str]:
    names: dict[str, str] = {}
    for key, entry in (place.entries() or {}).items():
        name = entry.text(60)
        if entry.is_id(key):
            names[key] = name or key
    return names


def _listed_families(place: Place) -> dict[str, str]:
    names: dict[str, str] = {}
    for item in place.items() or ():
        family = item.identifier()
        if family in names:
            item.wrong(f"family `{family}` is in this list twice")
        if family:
            names[family] = family.replace("_", " ")
    return names


def read_consent(place: Place | None) -> Mapping[str, ConsentRule]:
    """Return how each purpose needs consent; one that is not named keeps the cautious default."""
    section = place.section(DEFAULT_CONSENT) if place else None
    consent = dict(DEFAULT_CONSENT)
    for purpose, entry in (section.entries if section else {}).items():
        rule = entry.word(_CONSENT_RULES, "consent rule")
        if rule:
            consent[purpose] = cast(ConsentRule, rule)
    return MappingProxyType(consent)


def read_timers(place: Place | None) -> Timers:
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


def read_contact_limits(
    place: Place | None, names: Mapping[Scope, tuple[str, ...]]
) -> tuple[ContactLimit, ...]:
    """Return the contact limits; `names` has the known names of each scope."""
    limits: dict[str, ContactLimit] = {}
    for item in (place.items() if place else None) or ():
        section = item.section(("id", "scope", "name", "max_contacts", *durations("window")))
        limit = _read_limit(section, names) if section else None
        if limit and limit.id in limits:
            item.wrong(f"contact limit `{limit.id}` is here twice")
        if limit:
            limits[limit.id] = limit
    return tuple(limits.values())


def _read_limit(section: Section, names: Mapping[Scope, tuple[str, ...]]) -> ContactLimit | None:
    id_place = section.need("id", "weekly")
    scope_place = section.need("scope", "overall")
    max_place = section.need("max_contacts", "3")
    limit_id = id_place.identifier() if id_place else None
    scope = cast(Scope | None, scope_place.word(SCOPES, "scope") if scope_place else None)
    max_contacts = max_place.whole(1, MAX_CONTACTS) if max_place else None
    window_ms = section.duration_ms("window", MINUTE_MS, YEAR_MS)
    if window_ms is None:
        section.need("window_days", "7")
    name = _limit_name(section.get("name"), scope, names)
    if limit_id is None or scope is None:
        return None
    return ContactLimit(limit_id, scope, name, max_contacts or 1, window_ms or DAY_MS)


def _limit_name(
    place: Place | None, scope: Scope | None, names: Mapping[Scope, tuple[str, ...]]
) -> str | None:
    if place is None or place.is_null or scope is None:
        return None
    if scope == "overall":
        place.wrong("scope `overall` counts every contact and has no name; remove `name`")
        return None
    return place.word(names[scope], scope)
