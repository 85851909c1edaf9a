"""Mapping files: what they may say, and how their mistakes are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from streams.demo.mapping import load_mapping, parse_mapping
from streams.demo.mapping_file import MappingError
from streams.demo.verbs import VERBS, apply_verb

FEEDS = Path(__file__).parents[2] / "deploy" / "feeds"
GOOD = """\
topic: clickstream
zone: Europe/Paris
fields:
  event_id: {template: "web-{id}"}
  customer_id: {column: who, steps: [strip]}
  occurred_at: {column: at, steps: [time: "%d.%m.%Y %H:%M"]}
  kind:
    column: what
    steps: [lower, map: {seen: view, wanted: add_to_cart}]
"""


def failing(old: str, new: str) -> str:
    assert old in GOOD
    with pytest.raises(MappingError) as caught:
        parse_mapping("my.yaml", GOOD.replace(old, new))
    return str(caught.value)


@pytest.mark.parametrize("path", sorted(FEEDS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_mappings_are_sound(path: Path) -> None:
    assert load_mapping(path).columns


def test_a_mapping_turns_a_row_into_fields() -> None:
    row = {"id": 7, "who": " ann ", "at": "01.07.2024 12:30", "what": "Seen"}
    fields = parse_mapping("my.yaml", GOOD).fields
    assert {name: value(row) for name, value in fields.items()} == {
        "event_id": "web-7",
        "customer_id": "ann",
        "occurred_at": 1_719_829_800_000,
        "kind": "view",
    }


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("clickstream", "clicks", "my.yaml:1 topic: `clicks` is not known; did you mean `clickstr"),
        ("Europe/Paris", "Paris", "my.yaml:2 zone: `Paris` is no IANA time zone"),
        ("zone:", "zones:", "my.yaml:2 zones: `zones` is not known; did you mean `zone`?"),
        ("strip", "stripe", "my.yaml:5 fields.customer_id.steps.0: `stripe` is not known"),
        ("[strip]", "strip", "my.yaml:5 fields.customer_id.steps: expected a list"),
        ("[strip]", "[strip: 3]", "fields.customer_id.steps.0: `strip` takes none"),
        ("[strip]", "[multiply]", "`multiply` takes a number as its argument"),
        ("[strip]", "[multiply: many]", "'many' is no number"),
        ("{column: who", "{column: who, constant: x", "give exactly one of column, constant"),
        ("{column: who", "{column: 3", "expected a text, found 3"),
        ('"%d.%m.%Y %H:%M"', "day", "`day` is not known"),
        ("web-{id}", "web-{id", "not a template"),
        ("web-{id}", "web-{id!r}", "nothing but a column's name"),
        ("  event_id", "  eventid", "my.yaml:4 fields.eventid: `eventid` is not known; did you"),
        ("    column: what\n", "", "my.yaml:7 fields.kind: give exactly one of"),
        ("fields:", "group_by: [id]\nfields:", "group_by: only events with lines"),
        ("fields:", "lines: {}\nfields:", "lines: events of clickstream have no lines"),
        ("fields:", "source: {format: xls}\nfields:", "source.format: `xls` is not known"),
        ("fields:", "keep: {column: id}\nfields:", "keep: give exactly one test"),
        ("zone: Europe/Paris", "zone: [", "not readable as YAML"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_path(old: str, new: str, told: str) -> None:
    assert told in failing(old, new)


def test_a_required_field_that_is_missing_is_named() -> None:
    line = '  event_id: {template: "web-{id}"}\n'
    assert failing(line, "").endswith("fields: `event_id` is required and missing")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_bytes(b"topic: \xff\xfe")
    with pytest.raises(MappingError, match="not UTF-8"):
        load_mapping(path)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words"])
def test_a_file_that_is_no_mapping_is_told(text: str) -> None:
    with pytest.raises(MappingError, match="expected a mapping"):
        parse_mapping("my.yaml", text)


@pytest.mark.parametrize(
    ("verb", "value", "argument", "expected"),
    [
        ("text", 12, None, "12"),
        ("strip", "  ", None, None),
        ("slug", "Drug GM & more", None, "drug_gm_more"),
        ("number", " 2.50 ", None, 2.5),
        ("integer", "12346.0", None, 12346),
        ("absolute", "-3", None, 3),
        ("multiply", "2.55", 100, 255),
        ("divide_by", "9", "pieces", 3),
        ("round", "2.5", None, 2),
        ("map", 1, {"1": "opened"}, "opened"),
        ("boolean", "Yes", None, True),
        ("time", "2012-04-03 16:55:38", "iso", 1_333_472_138_000),
        ("time", "1333472138", "epoch_s", 1_333_472_138_000),
        ("time", "2012-04-03T16:55:38+02:00", "iso", 1_333_464_938_000),
        ("default", None, "web", "web"),
        ("default", "app", "web", "app"),
        ("integer", None, None, None),
    ],
)
def test_a_verb_does_one_thing(verb: str, value: Any, argument: Any, expected: Any) -> None:
    assert apply_verb(verb, value, argument, {"pieces": 3}, ZoneInfo("UTC")) == expected


@pytest.mark.parametrize(
    ("verb", "value", "argument", "told"),
    [
        ("number", "nan", None, "no finite number"),
        ("number", "12,5", None, "no number"),
        ("integer", "1.5", None, "no whole number"),
        ("map", "9", {"1": "opened"}, "not in the map"),
        ("boolean", "perhaps", None, "neither true nor false"),
        ("divide_by", "9", "none", "nothing can be divided"),
        ("time", "yesterday", "iso", "no time of the form iso"),
    ],
)
def test_a_verb_says_what_is_wrong_with_a_value(
    verb: str, value: Any, argument: Any, told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        apply_verb(verb, value, argument, {"none": 0}, ZoneInfo("UTC"))


def test_every_verb_has_one_line_of_help() -> None:
    assert all(verb.help and "\n" not in verb.help for verb in VERBS.values())
