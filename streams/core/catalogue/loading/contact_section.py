"""The contact rules of a catalogue: limits, quiet hours, suppression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, cast

from schemas.symbols import SEVERITIES
from streams.core.catalogue.contact_rules import (
    AFTERS,
    CALENDARS,
    DEFAULT_SUPPRESSION,
    SCOPES,
    After,
    AfterPurchase,
    Calendar,
    ContactLimit,
    ContactRules,
    Scope,
    Suppression,
    TicketSilence,
)
from streams.core.catalogue.loading.action_parts import YEAR_MS
from streams.core.catalogue.loading.quiet_section import read_quiet_hours, read_time_zone
from streams.core.catalogue.values import Timers
from streams.core.state.layout import (
    MAX_CONTACTS,
)
from streams.core.units import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
)
from streams.core.yaml_file.durations import durations
from streams.core.yaml_file.typed_node import Section, TypedNode

KEYS = (
    *("contact_limits", "quiet_hours", "suppression", "after_purchase", "tickets"),
    *("automated_in_a_row", "service_after_unsubscribe"),
)
Names = Mapping[Scope, tuple[str, ...]]

# How long a calendar window can be: an hour more than its days on the day the clocks go back.
_CALENDAR_MS = {"day": 25 * 3_600_000, "week": 7 * DAY_MS + 3_600_000, "month": 32 * DAY_MS}
_LIMIT_KEYS = ("id", "scope", "name", "max_contacts", "calendar")
# A dropped action is reported with the rule's id, so ids are unique, and none of these.
TAKEN = (
    *("ticket", "quiet_hours", "no_open_channel", "automated_in_a_row", "awaiting_outcomes"),
    "customer_elsewhere",
)
_TICKET_KEYS = (
    *("silence", "least_severity"),
    *(*durations("after_resolved"), *durations("closes_after")),
)
_SUPPRESSED = ("action", "family")


def read_contact_rules(section: Section, names: Names) -> tuple[ContactRules, int]:
    """Return the contact rules at the top of a catalogue, and when a silent ticket closes.

    `names` has the names of each scope.
    """
    tickets, ticket_closes_ms = _read_tickets(section.get("tickets"))
    most = section.get("automated_in_a_row")
    quiet, zone = read_quiet_hours(section), section.get("time_zone")
    rules = ContactRules(
        limits=_read_limits(section.get("contact_limits"), names),
        quiet=quiet,
        suppressions=_read_suppressions(section.get("suppression")),
        after_purchase=_read_after_purchase(section.get("after_purchase"), names),
        tickets=tickets,
        automated_in_a_row=most.whole(1, 100) if most else None,
        service_after_unsubscribe=section.flag("service_after_unsubscribe", True),
        calendar_zone=quiet.unknown_zone if zone is None else read_time_zone(section),
    )
    taken = set(TAKEN)
    for key, named in (
        ("contact_limits", rules.limits),
        ("suppression", rules.suppressions),
        ("after_purchase", rules.after_purchase),
    ):
        ids = {rule.id for rule in named}
        if place := section.get(key):
            for twice in sorted(ids & taken):
                place.wrong(f"`{twice}` already names another contact rule; choose another id")
        taken |= ids
    return rules, ticket_closes_ms


def _read_limits(place: TypedNode | None, names: Names) -> tuple[ContactLimit, ...]:
    limits: dict[str, ContactLimit] = {}
    for item in (place.items() if place else None) or ():
        section = item.section((*_LIMIT_KEYS, *durations("window")))
        limit = _read_limit(section, names) if section else None
        if limit and limit.id in limits:
            item.wrong(f"contact limit `{limit.id}` is here twice")
        if limit:
            limits[limit.id] = limit
    return tuple(limits.values())


def _read_limit(section: Section, names: Names) -> ContactLimit | None:
    id_place = section.need("id", "weekly")
    scope_place = section.need("scope", "overall")
    max_place = section.need("max_contacts", "3")
    limit_id = id_place.identifier() if id_place else None
    scope = cast(Scope | None, scope_place.word(SCOPES, "scope") if scope_place else None)
    max_contacts = max_place.whole(1, MAX_CONTACTS) if max_place else None
    calendar, window_ms = _window(section)
    name = _limit_name(section.get("name"), scope, names)
    if limit_id is None or scope is None:
        return None
    return ContactLimit(limit_id, scope, name, max_contacts or 1, window_ms, calendar)


def _limit_name(place: TypedNode | None, scope: Scope | None, names: Names) -> str | None:
    if place is None or place.is_null or scope is None:
        return None
    if scope == "overall":
        place.wrong("scope `overall` counts every contact and has no name; remove `name`")
        return None
    return place.word(names[scope], scope)


def _window(section: Section) -> tuple[Calendar | None, int]:
    window_ms = section.duration_ms("window", MINUTE_MS, YEAR_MS)
    place = section.get("calendar")
    if place is None:
        if window_ms is None:
            section.need("window_days", "7")
        return None, window_ms or DAY_MS
    if window_ms is not None:
        place.wrong("a limit has a rolling window or a calendar one; remove `calendar`")
    calendar = cast(Calendar | None, place.word(CALENDARS, "calendar window"))
    return calendar, _CALENDAR_MS[calendar or "day"]


def _read_suppressions(place: TypedNode | None) -> tuple[Suppression, ...]:
    found: dict[str, Suppression] = {}
    for item in (place.items() if place else None) or ():
        section = item.section(("id", "scope", "after", "times", *durations("for")))
        rule = _suppression(section) if section else None
        if rule and rule.id in found:
            item.wrong(f"suppression `{rule.id}` is here twice")
        if rule:
            found[rule.id] = rule
    if any(rule.after == "objected" for rule in found.values()):
        return tuple(found.values())
    if place and DEFAULT_SUPPRESSION.id in found:
        place.wrong(
            f"`{DEFAULT_SUPPRESSION.id}` is the rule that always follows an objection; use another "
            "id, or `after: objected`"
        )
    return (*found.values(), DEFAULT_SUPPRESSION)


def _suppression(section: Section) -> Suppression | None:
    id_place, after_place = section.need("id", "gave_up"), section.need("after", "ignored")
    rule_id = id_place.identifier() if id_place else None
    after = cast(After | None, after_place.word(AFTERS, "answer") if after_place else None)
    scope_place, times_place = section.get("scope"), section.get("times")
    scope = scope_place.word(_SUPPRESSED, "scope") if scope_place else "action"
    times = times_place.whole(1, 100) if times_place else 1
    term_ms = section.duration_ms("for", MINUTE_MS, 2 * YEAR_MS)
    if term_ms is None:
        section.need("for_days", "30")
    if rule_id is None or after is None or scope is None:
        return None
    default = replace(DEFAULT_SUPPRESSION, id=rule_id, after=after, times=times or 1)
    literal = cast(Literal["action", "family"], scope)
    return replace(default, scope=literal, term_ms=term_ms or DAY_MS)


def _read_after_purchase(place: TypedNode | None, names: Names) -> tuple[AfterPurchase, ...]:
    found: dict[str, AfterPurchase] = {}
    for item in (place.items() if place else None) or ():
        section = item.section(("id", "issues", *durations("for")))
        id_place = section.need("id", "enjoy_it_first") if section else None
        rule_id = id_place.identifier() if id_place else None
        if section is None or rule_id is None:
            continue
        issues_place = section.get("issues")
        issues = issues_place.words(names["issue"], "issue") if issues_place else None
        if issues_place and issues == ():
            issues_place.wrong("lists no issue, so nothing would rest; remove `issues` for all")
        term_ms = section.duration_ms("for", MINUTE_MS, YEAR_MS)
        if term_ms is None:
            section.need("for_days", "14")
        if rule_id in found:
            item.wrong(f"rest `{rule_id}` is here twice")
        about = None if issues is None else frozenset(issues)
        found[rule_id] = AfterPurchase(rule_id, about, term_ms or DAY_MS)
    return tuple(found.values())


def _read_tickets(place: TypedNode | None) -> tuple[TicketSilence | None, int]:
    """Return what open tickets suppress, and when a ticket without events counts as closed."""
    default_ms = Timers().ticket_closes_ms
    section = place.section(_TICKET_KEYS) if place else None
    if section is None:
        return TicketSilence(), default_ms
    silence, severity = section.get("silence"), section.get("least_severity")
    word = severity.word(SEVERITIES, "severity") if severity else None
    after_ms = section.duration_ms("after_resolved", 0, YEAR_MS)
    closes_ms = section.duration_ms("closes_after", HOUR_MS, YEAR_MS) or default_ms
    if silence is not None and silence.flag() is False:
        return None, closes_ms
    return TicketSilence(SEVERITIES.index(word or SEVERITIES[0]), after_ms or 0), closes_ms
