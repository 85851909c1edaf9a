"""Local time: the hour and weekday of the customer's own clock, for many customers at once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.cli.main import concierge
from streams.core.catalogue.cautions import cautions
from streams.core.features.action_axis import ActionAxis
from streams.core.features.definitions import FEATURES
from streams.core.features.extract import Columns, extract
from streams.core.features.wave import Wave
from streams.core.rules import check_rule, distance
from streams.core.state.customer import CustomerState
from streams.core.time_zones import ZONES, offsets_ms, zone
from streams.core.units import WEEKDAYS
from tests.support.contacts import Ways, ms
from tests.support.shops import SHOP, load

NAMES = (
    *("Europe/Berlin", "America/Los_Angeles", "America/New_York", "Asia/Kathmandu", "UTC"),
    *("Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "America/St_Johns", "No/Where"),
)
# 2000 to 2100, which is before and behind the last change that the database lists.
INSTANTS = st.integers(946_684_800_000, 4_102_444_800_000)


def features(*customers: tuple[str | None, str], time_zone: str = "UTC") -> Columns:
    """Return the features of customers in a zone at an instant, as one wave."""
    states = []
    for name, _ in customers:
        state = CustomerState()
        state.time_zone = name
        states.append(state)
    at_ms = [ms(text) for _, text in customers]
    axis = ActionAxis.of([], [("hello", None, "greet")])
    wave = Wave(states, at_ms, ["browsing"] * len(states), axis, time_zone)
    return extract(wave, np.ones(len(states), bool))


@given(st.lists(st.tuples(st.sampled_from(NAMES), INSTANTS), max_size=20))
@settings(max_examples=200, deadline=None)
def test_offsets_of_many_are_those_that_each_zone_gives_alone(rows: list[tuple[str, int]]) -> None:
    found = offsets_ms([name for name, _ in rows], np.array([at for _, at in rows], np.float64))
    alone = [datetime.fromtimestamp(at / 1000, zone(name)).utcoffset() for name, at in rows]
    assert found.tolist() == [o.total_seconds() * 1000 for o in alone if o is not None]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("Europe/Berlin", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-10-25T01:00"),
        ("America/New_York", "2026-11-01T06:00"),
        ("Australia/Lord_Howe", "2026-04-04T15:00"),
        ("Pacific/Apia", "2011-12-30T10:00"),
    ],
)
def test_an_offset_changes_at_its_instant(name: str, change: str) -> None:
    around = np.array([ms(change) - 1, ms(change)], np.float64)
    offsets = offsets_ms([name, name], around)
    wanted = [datetime.fromtimestamp(at / 1000, zone(name)).utcoffset() for at in around.tolist()]
    assert offsets[0] != offsets[1]
    assert offsets.tolist() == [o.total_seconds() * 1000 for o in wanted if o is not None]


def test_every_zone_of_the_database_is_right_on_the_days_of_a_year() -> None:
    """Also where clocks change: what was found for one half of a day is not taken for the other."""
    for name in sorted(ZONES)[::7]:
        at_ms = np.arange(ms("2026-01-01T00:00"), ms("2027-01-01T00:00"), 31 * 3_600_000 + 7_000)
        found = at_ms + offsets_ms([name] * len(at_ms), at_ms.astype(np.float64))
        wanted = [
            datetime.fromtimestamp(at / 1000, zone(name)).replace(tzinfo=UTC).timestamp() * 1000
            for at in at_ms.tolist()
        ]
        assert found.tolist() == wanted, name


def test_hour_weekday_and_weekend_are_the_customers_own() -> None:
    found = features(
        ("America/Los_Angeles", "2026-01-17T01:10"),  # Friday, 17:10
        ("Asia/Tokyo", "2026-01-16T16:00"),  # Saturday, 1:00
        (None, "2026-01-18T23:59"),  # Sunday, 23:59, UTC
        ("America/Los_Angeles", "2026-07-17T01:10"),  # Thursday, 18:10: summer time
    ).natural
    assert found["local_hour"].tolist() == [17, 1, 23, 18]
    names = [WEEKDAYS[day] for day in ("friday", "saturday", "sunday", "thursday")]
    assert found["local_weekday"].tolist() == names
    assert found["weekend"].tolist() == [0, 1, 1, 0]


def test_an_unknown_zone_is_that_of_the_catalogue() -> None:
    found = features((None, "2026-01-17T01:10"), time_zone="America/Los_Angeles").natural
    assert (found["local_hour"].tolist(), found["weekend"].tolist()) == ([17], [0])


def test_the_models_hour_is_a_point_on_the_circle_of_the_customers_day() -> None:
    found = features(("America/Los_Angeles", "2026-01-17T02:00")).natural  # 18:00
    assert found["hour_sin"][0] == pytest.approx(-1)
    assert found["hour_cos"][0] == pytest.approx(0)


def test_a_customers_time_does_not_depend_on_who_else_is_in_the_wave() -> None:
    people = [
        (name, f"2026-{month:02}-28T{hour:02}:30")
        for month in (3, 10)
        for hour in range(0, 24, 5)
        for name in ("Europe/Berlin", "America/Los_Angeles", None)
    ]
    together = features(*people)
    for row, each in enumerate(people):
        alone = features(each)
        assert together.customer[row].tobytes() == alone.customer[0].tobytes()


def shop_with(rule: str) -> str:
    """Return the shop whose actions per family need a rule."""
    rules = "rules: {suitability: [not_disliked: family_preference >= 0]}"
    assert rules in SHOP
    shop = SHOP.replace("holdout_ratio: 0.2", "holdout_ratio: 0")
    return shop.replace(rules, f"rules: {{applicability: [{{in_time: '{rule}'}}]}}")


@pytest.mark.parametrize(
    ("rule", "at_home", "chosen"),
    [
        ("local_hour >= 22 or local_hour < 6", "2026-01-16T17:10", False),
        ("local_hour >= 22 or local_hour < 6", "2026-01-16T22:10", True),
        ("local_weekday == friday", "2026-01-16T17:10", True),
        ("local_weekday == friday", "2026-01-17T00:10", False),
        ("local_weekday in (saturday, sunday)", "2026-01-17T00:10", True),
        ("tuesday <= local_weekday <= thursday", "2026-01-16T17:10", False),
        ("local_weekday not in (saturday, 7)", "2026-01-18T12:00", False),
    ],
)
def test_a_rule_may_ask_for_the_customers_hour_and_weekday(
    rule: str, at_home: str, chosen: bool
) -> None:
    ways = Ways("", shop_with(rule))
    ways.lives_in("America/Los_Angeles")
    answer = ways.browse(ms(at_home, "America/Los_Angeles"))
    dropped = answer.fate("show_tea") == "applicability:in_time"
    assert dropped is not chosen


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("local_weekday == saterday", "unknown word `saterday`; did you mean `saturday`?"),
        ("local_weekday in (saturday, funday)", "did you mean `sunday`?"),
        ("local_weekday == july", "known: monday, tuesday"),
        ("local_hour == monday", "unknown feature `monday`"),
        ("local_weekday < monday", "never holds: local_weekday is from 1 to 7"),
        ("locl_hour > 3", "did you mean `local_hour`?"),
    ],
)
def test_a_word_that_is_not_known_is_answered_with_the_nearest(rule: str, said: str) -> None:
    with pytest.raises(ValueError, match="in_time") as refused:
        load(shop_with(rule))
    assert said in str(refused.value)


def test_no_word_of_a_feature_is_a_feature_too() -> None:
    words = {word for feature in FEATURES.values() for word in feature.words}
    assert words == set(WEEKDAYS)
    assert not words & set(FEATURES)


def test_what_was_lacking_is_told_by_the_name_of_the_weekday() -> None:
    rule = check_rule("local_weekday <= friday", FEATURES)
    found = distance(rule, {"local_weekday": 6.0})
    assert found is not None
    assert found.sentence() == "local_weekday is saturday, needs at most friday"


def test_a_rule_over_the_models_hour_still_works_and_check_warns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = shop_with("hour_sin > 0 and hour_cos > 0")
    line = text[: text.index("hour_sin")].count("\n") + 1
    found = cautions(load(text))
    assert [caution.line for caution in found] == [line, line]
    assert "write it with `local_hour`" in found[0].says
    file = tmp_path / "old.yaml"
    file.write_text(text, "utf-8")
    assert (
        concierge.main(["check", "--offline", "--catalogue", str(file)], standalone_mode=False) == 0
    )
    assert "warning" in capsys.readouterr().out
    assert cautions(load(SHOP)) == []
    ways = Ways("", text)
    ways.lives_in("Asia/Tokyo")
    # 3:00 in Tokyo: both signs are above 0, by the customer's own clock.
    assert ways.browse(ms("2026-01-16T18:00")).fate("show_tea") != "applicability:in_time"


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ("", "UTC"),
        ("time_zone: Europe/Berlin", "Europe/Berlin"),
        ("quiet_hours: {unknown_zone: Asia/Tokyo}", "Asia/Tokyo"),
        ("quiet_hours: {unknown_zone: always_quiet}", "UTC"),
        ("time_zone: Asia/Tokyo\nquiet_hours: {unknown_zone: always_quiet}", "Asia/Tokyo"),
        ("time_zone: Asia/Tokyo\nquiet_hours: {unknown_zone: Asia/Tokyo}", "Asia/Tokyo"),
    ],
)
def test_the_assumed_zone_is_one_key_for_features_and_quiet_hours(keys: str, wanted: str) -> None:
    catalogue = load(f"{SHOP}\n{keys}\n")
    assert catalogue.time_zone == wanted
    assert catalogue.contact.quiet.unknown_zone in (wanted, None)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("time_zone: Europe/Berln", "`Europe/Berln` is no time zone; write one like Europe/London"),
        ("time_zone: Europe/Berln", "did you mean `Europe/Berlin`?"),
        (
            "time_zone: Asia/Tokyo\nquiet_hours: {unknown_zone: UTC}",
            "quiet_hours.unknown_zone: `time_zone` says Asia/Tokyo; remove this",
        ),
    ],
)
def test_a_zone_that_cannot_be_is_refused(keys: str, said: str) -> None:
    with pytest.raises(ValueError, match="zone") as refused:
        load(f"{SHOP}\n{keys}\n")
    assert said in str(refused.value)
