"""Quiet hours by weekday, date and channel: what is read, what is quiet, when it opens again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.symbols import CHANNELS
from streams.core.catalogue.contact_rules import ALL_DAY, Date, QuietHours, QuietTimes, Span
from streams.core.catalogue.loading import CatalogueError
from streams.core.features.action_axis import ActionAxis
from streams.core.features.wave import Wave
from streams.core.policy.contact.quiet_hours import QuietPlan
from streams.core.state.customer import CustomerState
from streams.core.state.layout import HEAD
from streams.core.time_zones import zone
from streams.core.units import MINUTE_MS, SECOND_MS
from tests.support.contacts import Ways, ms
from tests.support.shops import SHOP, load

NIGHT = Span(18 * 60, 9 * 60)
CALL, MAIL, WEB = (CHANNELS.index(name) for name in ("call_center", "email", "web"))


def office(more: str = "weekdays: {saturday: all_day, sunday: all_day}") -> str:
    return f"quiet_hours: {{from: 18:00, until: 09:00, then: wait, {more}}}"


def quiet_hours(text: str) -> QuietHours:
    return load(f"{SHOP}\n{text}\n").contact.quiet


def problem(text: str) -> str:
    with pytest.raises(CatalogueError) as refused:
        load(f"{SHOP}\n{text}\n")
    return str(refused.value)


def customer(name: str | None, own: Span | None = None) -> CustomerState:
    state = CustomerState()
    state.time_zone = name
    if own is not None:
        state.head[HEAD["quiet_from_minute"]] = own.start
        state.head[HEAD["quiet_until_minute"]] = own.end
    return state


def disturbed(plan: QuietPlan, states: list[CustomerState], at_ms: list[int]) -> list[list[bool]]:
    """Return which channels are quiet for each customer."""
    axis = ActionAxis.of([], [("hello", None, "greet")])
    quiet = plan.quiet(Wave(states, at_ms, ["browsing"] * len(states), axis))
    nothing = [[False] * len(CHANNELS)] * len(states)
    found: list[list[bool]] = nothing if quiet is None else quiet.tolist()
    return found


def test_weekdays_dates_and_channels_are_read() -> None:
    quiet = quiet_hours(
        "quiet_hours: {from: 18:00, until: 09:00, weekdays: {saturday: {from: 12:00, until: 10:00},"
        " sunday: {from: 00:00, until: 24:00}}, dates: [2026-04-06, 12-25, 02-29],"
        " channels: {sms: {dates: []}, call_center: {from: 17:00, until: 10:00}}}"
    )
    dates = (Date(2026, 4, 6), Date(0, 12, 25), Date(0, 2, 29))
    weekdays = ((6, Span(12 * 60, 10 * 60)), (7, ALL_DAY))
    assert quiet.of("email") == QuietTimes(NIGHT, weekdays, dates)
    assert quiet.of("sms") == QuietTimes(NIGHT, weekdays, ())
    assert quiet.of("call_center") == QuietTimes(Span(17 * 60, 10 * 60), weekdays, dates)


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("weekdays: {sonday: all_day}", "unknown key `sonday`; did you mean `sunday`?"),
        ("weekdays: {sunday: all_dya}", "unknown word for a day `all_dya`; did you mean `all_day`"),
        ("weekdays: {sunday: {from: 10:00}}", "quiet hours need both ends"),
        ("weekdays: {sunday: {}}", "`sunday` needs `from` and `until`, or the word all_day"),
        ("weekdays: {sunday: {from: 10:00, until: 10:00}}", "the same time would never be"),
        ("weekdays: {sunday: {from: 24:00, until: 10:00}}", "`24:00` is no time of day"),
        ("dates: [2026-02-30]", "`2026-02-30` is no date; write 2026-12-25, or 12-25 for one"),
        ("dates: [25.12.]", "`25.12.` is no date"),
        ("dates: [12-25, 12-25]", "`12-25` is in this list twice"),
        ("dates: 12-25", "where a list belongs"),
        ("channels: {web: {from: 10:00, until: 12:00}}", "`web` is no channel that reaches out"),
        ("channels: {call_centre: {}}", "did you mean `call_center`?"),
        ("channels: {sms: {then: wait}}", "unknown key `then`"),
        (
            "weekdays: {monday: all_day, tuesday: all_day, wednesday: all_day, thursday: all_day,"
            " friday: all_day, saturday: all_day, sunday: all_day}",
            "every day is quiet all day, so no customer could be contacted",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(inside: str, said: str) -> None:
    line = SHOP.count("\n") + 2
    text = problem(f"quiet_hours: {{{inside}}}")
    assert said in text
    assert f"shop.yaml:{line} quiet_hours" in text


@pytest.mark.parametrize(
    ("asked", "opens"),
    [
        ("2026-01-16T18:00", "2026-01-19T09:00"),  # Friday evening: Monday
        ("2026-01-17T11:00", "2026-01-19T09:00"),  # Saturday
        ("2026-01-18T23:30", "2026-01-19T09:00"),  # Sunday
        ("2026-01-19T03:00", "2026-01-19T09:00"),  # Monday night
        ("2026-12-24T19:00", "2026-12-28T09:00"),  # a Thursday; Friday is a holiday
        ("2026-04-03T10:00", "2026-04-07T09:00"),  # Easter, over the weekend
        # Clocks change in the night between the question and Monday.
        ("2026-03-27T18:30", "2026-03-30T09:00"),
        ("2026-10-23T18:30", "2026-10-26T09:00"),
    ],
)
@pytest.mark.parametrize("name", ["Europe/Berlin", "America/Los_Angeles"])
def test_what_waits_is_decided_again_at_the_next_open_time(
    asked: str, opens: str, name: str
) -> None:
    days = "weekdays: {saturday: all_day, sunday: all_day}"
    ways = Ways(office(f"{days}, dates: [12-25, 2026-04-03, 2026-04-06]"))
    ways.lives_in(name)
    assert ways.order(ms(asked, name)).fate("letter") == "contact:quiet_hours"
    assert ways.tick(ms(opens, name) - SECOND_MS) == []
    assert [answer.chosen for answer in ways.tick(ms(opens, name))] == ["letter"]


def test_a_channel_may_keep_hours_of_its_own() -> None:
    ways = Ways(
        "quiet_hours: {then: other_channel, channels: {call_center: {weekdays: {sunday: all_day}},"
        " sms: {from: 20:00, until: 10:00}}}"
    )
    texted = ways.sign_up(ms("2026-01-18T12:00"))  # a Sunday
    assert (texted.chosen, texted.action and texted.action.channel) == ("letter_or_call", "sms")
    ways = Ways("quiet_hours: {then: other_channel, channels: {sms: {from: 20:00, until: 10:00}}}")
    called = ways.sign_up(ms("2026-01-18T21:00"))
    assert called.action is not None
    assert called.action.channel == "call_center"


def test_own_hours_take_the_place_of_the_daily_ones_and_of_nothing_else() -> None:
    plan = QuietPlan(quiet_hours(office("weekdays: {sunday: all_day}, dates: [12-25]")))
    late = customer("UTC", Span(10 * 60, 20 * 60))
    times = ["2026-01-16T21:00", "2026-01-16T12:00", "2026-01-18T21:00", "2026-12-25T21:00"]
    found = disturbed(plan, [late] * 4, [ms(text) for text in times])
    assert [row[MAIL] for row in found] == [False, True, True, True]
    assert not any(row[WEB] for row in found)
    # Friday's own hours end at 20:00; on Sunday it is quiet all day, on Monday from midnight open.
    assert plan.over_ms(late, ms("2026-01-16T12:00"), [MAIL]) == ms("2026-01-16T20:00")
    assert plan.over_ms(late, ms("2026-01-18T21:00"), [MAIL]) == ms("2026-01-19T00:00")


def test_nothing_waits_for_a_time_that_never_comes() -> None:
    plan = QuietPlan(quiet_hours(office()))
    # Open from 9 to 18 only, and just then this customer wants to be left alone.
    busy = customer("UTC", Span(8 * 60, 19 * 60))
    times = QuietTimes(weekdays=tuple((day, Span(18 * 60, 9 * 60)) for day in range(1, 8)))
    assert QuietPlan(QuietHours(times)).over_ms(busy, ms("2026-01-16T12:00"), [MAIL]) == 0
    assert plan.over_ms(busy, ms("2026-01-16T12:00"), [MAIL]) == ms("2026-01-16T19:00")
    assert plan.over_ms(customer(None), ms("2026-01-16T20:00"), []) == 0


def test_hours_of_their_own_cost_no_search_through_their_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = QuietPlan(quiet_hours(office()))
    asked, holds = list[int](), Span.holds

    def counted(span: Span, minute: int) -> bool:
        asked.append(minute)
        return holds(span, minute)

    monkeypatch.setattr(Span, "holds", counted)
    night = ms("2026-01-16T23:30")
    for own in (Span(20 * 60 + number, 7 * 60 + number) for number in range(100)):
        state = customer("UTC", own)
        assert plan.over_ms(state, night, [MAIL]) == ms("2026-01-19T00:00") + own.end * MINUTE_MS
    # A weekend and two nights each; a day has 1,440 minutes.
    assert len(asked) <= 100 * 8


spans = st.tuples(st.integers(0, 1439), st.integers(0, 1439)).map(lambda ends: Span(*ends))
quiet_times = st.builds(
    QuietTimes,
    spans,
    st.dictionaries(st.integers(1, 7), spans | st.just(ALL_DAY), max_size=6).map(
        lambda days: tuple(sorted(days.items()))
    ),
    st.lists(st.sampled_from([Date(2026, 3, 30), Date(0, 10, 25), Date(0, 1, 1)]), max_size=2).map(
        tuple
    ),
)


def is_quiet(times: QuietTimes, local: datetime, own: Span) -> bool:
    """Return what the catalogue's page says, for one customer at one local time."""
    minute, listed = local.hour * 60 + local.minute, dict(times.weekdays)
    day = {Date(local.year, local.month, local.day), Date(0, local.month, local.day)}
    if day & set(times.dates):
        return True
    daily = times.daily if own.is_empty else Span()
    return own.holds(minute) or listed.get(local.isoweekday(), daily).holds(minute)


@given(
    quiet_times,
    st.lists(
        st.tuples(
            st.sampled_from(["Asia/Kathmandu", "Europe/Berlin", "America/St_Johns"]),
            st.just(Span()) | spans,
            st.integers(ms("2026-03-20T00:00"), ms("2027-01-10T00:00")),
        ),
        min_size=1,
        max_size=6,
    ),
)
@settings(max_examples=60, deadline=None)
def test_tables_say_what_the_clock_on_the_wall_says(
    times: QuietTimes, people: list[tuple[str, Span, int]]
) -> None:
    plan = QuietPlan(QuietHours(times))
    states = [customer(name, own) for name, own, _ in people]
    found = disturbed(plan, states, [at for *_, at in people])
    for state, (name, own, at), row in zip(states, people, found, strict=True):
        local = datetime.fromtimestamp(at / 1000, zone(name))
        assert row[CALL] == row[MAIL] == is_quiet(times, local, own)
        if not row[CALL]:
            continue
        over = plan.over_ms(state, at, [CALL])
        first = (at // MINUTE_MS + 1) * MINUTE_MS
        walls = (
            datetime.fromtimestamp((first + k * MINUTE_MS) / 1000, zone(name))
            for k in range(14_400)
        )
        opened = next((wall for wall in walls if not is_quiet(times, wall, own)), None)
        assert (over == 0) == (opened is None)
        if opened is not None:
            late = datetime.fromtimestamp(over / 1000, zone(name)) - opened
            # What opens within an hour that clocks leave out may be taken as up to an hour later.
            assert (
                timedelta(0)
                <= late
                <= (timedelta(hours=1) if name != "Asia/Kathmandu" else late * 0)
            )
