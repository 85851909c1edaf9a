"""A back-test's map is checked before a row is read, and says what is wrong, and where."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from streams.backtest.log_map import load_map, parse_map
from streams.backtest.supervised import target_document
from streams.core.layout import DAY_MS
from streams.demo.mapping_file import MappingError, parse_document
from tests.kafka import ROOT
from tests.logs import CAMPAIGN_MAP

EXAMPLES = sorted((ROOT / "deploy" / "backtest").glob("*.yaml"))


def fault(text: str) -> str:
    with pytest.raises(MappingError) as caught:
        parse_map("my.yaml", text)
    return str(caught.value)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_a_good_map_and_says_how_to_run_it(path: Path) -> None:
    load_map(path)
    text = path.read_text(encoding="utf-8")
    assert "concierge backtest" in text
    assert f"deploy/backtest/{path.name}" in text


def test_there_is_an_example_for_every_named_log() -> None:
    assert [path.stem for path in EXAMPLES] == [
        "bank_marketing",
        "obd",
        "online_retail",
        "starbucks_offers",
        "uci_online_shoppers",
    ]


def test_durations_are_read_in_the_unit_of_their_key() -> None:
    assert parse_map("m", CAMPAIGN_MAP + "window_days: 2\n").window_ms == 2 * DAY_MS
    assert parse_map("m", CAMPAIGN_MAP + "window_hours: 12\n").window_ms == DAY_MS // 2
    assert parse_map("m", CAMPAIGN_MAP).window_ms is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fields: {outcom: {column: y}}", "my.yaml:1 fields.outcom: `outcom` is not known; did "),
        ("features: {numbers: [a]}", "nothing says what came of a row; name fields.outcome"),
        (CAMPAIGN_MAP + "window_days: soon", "window_days: expected a number, found 'soon'"),
        (CAMPAIGN_MAP + "window_days: 0", "window_days: must be above 0"),
        (CAMPAIGN_MAP + "window_days: 1\nwindow_hours: 2", "is given already; give one of them"),
        (CAMPAIGN_MAP + "repeat_within_days: 9", "the outcome is `repeat_within`; name no other"),
        (CAMPAIGN_MAP + "probability: even", "`even` is not known; it is one of uniform, shares"),
        (CAMPAIGN_MAP + "prior: 1", "prior: must lie between 0 and 1, found 1"),
        (CAMPAIGN_MAP + "exploration: {gamma: -1}", "exploration.gamma: must lie between 0"),
        (CAMPAIGN_MAP + "group: {by: [customer]}", "say how long rows belong together"),
        (CAMPAIGN_MAP + "group: {by: [customer], every_days: 1, add: [agee]}", "mean `age`?"),
        (CAMPAIGN_MAP + "history: {n: {take: counts}}", "history.n.take: `counts` is not known"),
        (CAMPAIGN_MAP + "history: {n: {take: sum}}", "`sum` needs `of`"),
        (CAMPAIGN_MAP + "history: {n: {take: decayed}}", "needs a half-life"),
        (CAMPAIGN_MAP + "history: {age: {take: count}}", "`age` is a feature already"),
        (CAMPAIGN_MAP + "history: {n: {take: count, at: rows}}", "did you mean `row`?"),
        ("fields: {outcome: {column: y}}\nhistory: {n: {take: count}}", "needs fields.time"),
        (CAMPAIGN_MAP.replace("[city]", "[age]"), "`age` is named twice"),
    ],
)
def test_what_is_wrong_is_said_with_line_and_path(text: str, expected: str) -> None:
    said = fault(text)
    assert said.startswith("my.yaml:")
    assert expected in said


def test_a_target_replaces_the_outcome_and_drops_what_belongs_to_actions() -> None:
    document = parse_document("my.yaml", CAMPAIGN_MAP + "control: c\n")
    given = target_document(document, "clicked").value
    assert given["fields"]["outcome"] == {"column": "clicked"}
    assert set(given["fields"]) == {"customer", "time", "outcome"}
    assert "control" not in given
    assert target_document(document, "").value["fields"]["outcome"] == {"column": "bought"}
    assert yaml.safe_load(CAMPAIGN_MAP + "control: c\n") == document.value
