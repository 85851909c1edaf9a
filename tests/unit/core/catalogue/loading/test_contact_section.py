"""The contact rules of a catalogue: what is read, and what is refused with line and advice."""

from __future__ import annotations

import pytest

from streams.core.catalogue.contact_rules import (
    DEFAULT_SUPPRESSION,
    AfterPurchase,
    ContactLimit,
    QuietHours,
    QuietTimes,
    Span,
    Suppression,
    TicketSilence,
)
from streams.core.catalogue.loading import CatalogueError, load_catalogue
from streams.core.catalogue.values import Catalogue
from streams.core.features.definitions import FEATURES
from streams.core.moments import MOMENTS
from streams.core.units import DAY_MS, HOUR_MS

# Every rule stands in a line of its own, so that the place of a mistake is plain.
SOUND = """\
name: Shop
currency: EUR
quiet_hours: {from: 21:00, until: 08:00, then: wait, unknown_zone: Europe/London}
contact_limits: [{id: weekly, scope: overall, max_contacts: 3, window_days: 7}]
suppression: [{id: gave_up, after: ignored, times: 4, for_days: 30}]
after_purchase: [{id: enjoy_it, issues: [selling], for_days: 14}]
tickets: {least_severity: high, after_resolved_days: 2}
automated_in_a_row: 3
budgets: [{id: calls, scope: channel, name: call_center, per_day: 40}]
slates: {browsing: 3}
arms: {random: 0.01, model_only: 0.02}
exploration: {gamma: 50, floor: 0.01, discovery: 0.1}
no_action: {priority: 0.1, per_contact: 0.2, per_ignored: 0.3, opt_out_cost: 4}
families: [tea]
issues:
  - id: selling
    purpose: marketing
    reward: {outcomes: [accept], window_days: 2}
    valid_hours: 12
    actions:
      - id: letter
        moments: [browsing]
        value: 1
        treatments: [{id: letter, channel: email, message: "{name|Hello}", items: cart}]
service_after_unsubscribe: false
"""


def loaded(text: str = SOUND) -> Catalogue:
    return load_catalogue(text, "shop.yaml", FEATURES, MOMENTS)


def problems_of(text: str) -> list[str]:
    try:
        loaded(text)
    except CatalogueError as error:
        return error.problems
    return []


def test_everything_that_was_written_is_read() -> None:
    catalogue = loaded()
    contact = catalogue.contact
    night = QuietTimes(Span(21 * 60, 8 * 60))
    assert contact.quiet == QuietHours(night, "wait", "Europe/London")
    assert contact.limits == (ContactLimit("weekly", "overall", None, 3, 7 * DAY_MS),)
    gave_up = Suppression("gave_up", "action", "ignored", 4, 30 * DAY_MS)
    assert contact.suppressions == (gave_up, DEFAULT_SUPPRESSION)
    assert contact.after_purchase == (
        AfterPurchase("enjoy_it", frozenset({"selling"}), 14 * DAY_MS),
    )
    assert contact.tickets == TicketSilence(2, 2 * DAY_MS)
    assert contact.automated_in_a_row == 3
    assert contact.service_after_unsubscribe is False
    assert [(b.id, b.scope, b.name, b.per_day) for b in catalogue.budgets] == [
        ("calls", "channel", "call_center", 40)
    ]
    assert catalogue.slates == {"browsing": 3}
    assert (catalogue.arms.random, catalogue.arms.model_only) == (0.01, 0.02)
    assert catalogue.exploration.discovery_ratio == 0.1
    assert catalogue.bothering.opt_out_cost == 4
    assert catalogue.actions[0].treatments[0].items == "cart"


def test_without_contact_rules_open_tickets_and_objections_still_silence() -> None:
    lines = [line for line in SOUND.splitlines() if ":" in line and "unsubscribe" not in line]
    bare = "\n".join(lines[:2] + lines[lines.index("issues:") :]).replace("{name|Hello}", "Hi")
    contact = loaded(bare).contact
    assert contact.tickets == TicketSilence(0, 0)
    assert contact.suppressions == (DEFAULT_SUPPRESSION,)
    assert contact.service_after_unsubscribe is True
    assert contact.quiet == QuietHours(QuietTimes(), "other_channel", "UTC")
    assert (contact.limits, contact.after_purchase, contact.automated_in_a_row) == ((), (), None)


@pytest.mark.parametrize(
    ("calendar", "longest_ms"),
    [("day", 25 * HOUR_MS), ("week", 7 * DAY_MS + HOUR_MS), ("month", 32 * DAY_MS)],
)
def test_a_calendar_window_is_read(calendar: str, longest_ms: int) -> None:
    (limit,) = loaded(SOUND.replace("window_days: 7", f"calendar: {calendar}")).contact.limits
    assert (limit.calendar, limit.window_ms) == (calendar, longest_ms)


def test_a_zone_that_is_not_known_may_mean_always_quiet() -> None:
    quiet = loaded(SOUND.replace("Europe/London", "always_quiet")).contact.quiet
    assert quiet.unknown_zone is None


def test_tickets_may_be_told_to_silence_nothing() -> None:
    assert loaded(SOUND.replace("least_severity: high", "silence: false")).contact.tickets is None


def test_an_own_rule_about_objections_takes_the_place_of_the_usual_one() -> None:
    text = SOUND.replace("after: ignored, times: 4", "after: objected")
    assert [rule.id for rule in loaded(text).contact.suppressions] == ["gave_up"]


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        # quiet hours
        ("21:00", "9pm", ":3 quiet_hours.from: `9pm` is no time of day; write hours and minutes"),
        ("21:00", "24:00", "`24:00` is no time of day"),
        ("08:00", "8:00", "for example 21:00"),
        ("from: 21:00, ", "", ":3 quiet_hours: quiet hours need both ends, for example"),
        ("until: 08:00", "until: 21:00", "would never be; change one end"),
        ("then: wait", "then: wiat", "unknown answer `wiat`; did you mean `wait`?"),
        ("Europe/London", "Europe/Lundon", "`Europe/Lundon` is no time zone; write one like"),
        ("Europe/London", "Europe", "or always_quiet to leave those in peace"),
        ("unknown_zone", "unknown_zones", "did you mean `unknown_zone`?"),
        # limits
        ("max_contacts: 3", "max_contacts: 0", ":4 contact_limits[0].max_contacts: 0 is out of"),
        (", window_days: 7", "", "`window_days` is missing; add for example"),
        ("window_days: 7", "window_days: 7, calendar: week", "a rolling window or a calendar one"),
        ("window_days: 7", "calendar: fortnight", "unknown calendar window `fortnight`; known: da"),
        (
            "window_days: 7}",
            "window_days: 7}, {id: weekly, scope: overall, max_contacts: 1, calendar: day}",
            "contact limit `weekly` is here twice",
        ),
        # suppression
        ("after: ignored", "after: ignoring", ":5 suppression[0].after: unknown answer `ignoring`"),
        ("after: ignored", "after: clicked", "known: ignored, rejected, objected"),
        ("times: 4", "times: 0", "0 is out of range; it must be from 1 to 100"),
        (", for_days: 30", "", "`for_days` is missing; add for example `for_days: 30`"),
        ("id: gave_up", "id: gave_up, scope: channel", "unknown scope `channel`; known: action, f"),
        ("id: gave_up", "id: objected", "`objected` is the rule that always follows an objection"),
        (
            "for_days: 30}",
            "for_days: 30}, {id: gave_up, after: rejected, for_days: 1}",
            "suppression `gave_up` is here twice",
        ),
        (
            "id: gave_up",
            "id: weekly",
            ":5 suppression: `weekly` already names another contact rule",
        ),
        ("id: gave_up", "id: quiet_hours", "`quiet_hours` already names another contact rule"),
        # after a purchase
        ("issues: [selling]", "issues: [seling]", ":6 after_purchase[0].issues[0]: unknown issue"),
        ("issues: [selling]", "issues: []", "lists no issue, so nothing would rest"),
        ("for_days: 14", "for_days: 400", "it must be from 1 minute to 366 days"),
        ("for_days: 14}", "for_days: 14}, {id: enjoy_it, for_days: 1}", "rest `enjoy_it` is here"),
        # tickets and people
        ("least_severity: high", "least_severity: hihg", "unknown severity `hihg`; did you mean"),
        ("least_severity: high", "silence: perhaps", "where true or false belongs"),
        ("automated_in_a_row: 3", "automated_in_a_row: 0", ":8 automated_in_a_row: 0 is out of"),
        (
            "unsubscribe: false",
            "unsubscribe: never",
            ":25 service_after_unsubscribe: text (`never`) where true or false belongs",
        ),
        ("after_unsubscribe", "after_unsubscribed", "did you mean `service_after_unsubscribe`?"),
        # budgets
        ("scope: channel, name", "scope: overall, name", ":9 budgets[0].scope: unknown scope"),
        ("name: call_center", "name: callcenter", "did you mean `call_center`?"),
        ("name: call_center, ", "", "`name` is missing; add for example `name: call_center`"),
        ("per_day: 40", "per_day: 1.5", "1.5 is not a whole number"),
        (
            "per_day: 40}",
            "per_day: 40}, {id: calls, scope: channel, name: sms, per_day: 1}",
            "budget `calls` is here twice",
        ),
        # slates, arms, exploration, silence
        ("{browsing: 3}", "{cart_left: 3}", ":10 slates.cart_left: `cart_left` has no placement"),
        ("{browsing: 3}", "{browsing: 9}", "9 is out of range; it must be from 2 to 4"),
        ("random: 0.01", "random: 0.5", ":11 arms.random: 0.5 is out of range"),
        ("discovery: 0.1", "discovery: 0.9", ":12 exploration.discovery: 0.9 is out of range"),
        ("floor: 0.01", "flor: 0.01", "unknown key `flor`; did you mean `floor`?"),
        ("opt_out_cost: 4", "opt_out_cost: -4", ":13 no_action.opt_out_cost: -4 is out of range"),
        # words and products
        ("{name|Hello}", "{name}", "{name} needs words for those of whom it is not known: {name|"),
        ("{name|Hello}", "{name|}", "{name|} says nothing of those whose name is not known"),
        ("{name|Hello}", "{nmae|Hello}", "unknown slot {nmae|...}; did you mean `name`?"),
        ("{name|Hello}", "{name|Hello", "a single { or }"),
        ("items: cart", "items: carts", "unknown kind of items `carts`; did you mean `cart`?"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_its_cure(
    right: str, wrong: str, expected: str
) -> None:
    assert right in SOUND
    problems = problems_of(SOUND.replace(right, wrong, 1))
    assert any(expected in problem for problem in problems), problems
    assert all(problem.startswith("shop.yaml:") for problem in problems)
