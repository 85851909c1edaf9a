"""The schemas are documented, hold together with the structs, and change only compatibly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fastavro import parse_schema

from schemas import records, symbols
from schemas.bundled import (
    BUNDLED_IDS,
    full_schema,
    prepare_writer,
    previous_files,
    schema_text,
)
from schemas.compatibility import broken_promises
from schemas.outputs import PUBLIC_NAMES
from schemas.topics import TOPICS

NAMES = sorted(BUNDLED_IDS)
AVRO = Path(records.__file__).parent / "avro"
PREVIOUS = {path.name: path for path in previous_files()}

SYMBOLS = {
    "concierge.ClickKind": symbols.CLICK_KINDS,
    "concierge.PurchaseKind": symbols.PURCHASE_KINDS,
    "concierge.SupportKind": symbols.SUPPORT_KINDS,
    "concierge.ProfileKind": symbols.PROFILE_KINDS,
    "concierge.OutcomeKind": symbols.OUTCOME_KINDS,
    "concierge.Channel": symbols.CHANNELS,
    "concierge.Severity": symbols.SEVERITIES,
    "concierge.Purpose": symbols.PURPOSES,
}


def named_types(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every record and enum inside a parsed schema, itself included."""
    if isinstance(schema, list):
        for branch in schema:
            yield from named_types(branch)
    elif isinstance(schema, dict):
        if schema["type"] in ("record", "enum"):
            yield schema
        for field in schema.get("fields", ()):
            yield from named_types(field["type"])
        yield from named_types(schema.get("items"))


def without_docs(schema: Any) -> Any:
    if isinstance(schema, list):
        return [without_docs(part) for part in schema]
    if isinstance(schema, dict):
        return {key: without_docs(part) for key, part in schema.items() if key != "doc"}
    return schema


def test_no_schema_is_orphaned() -> None:
    files = sorted(path.stem for path in AVRO.glob("*"))
    of_topics = sorted(topic.schema for topic in TOPICS if topic.schema is not None)
    assert files == of_topics == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_record_enum_and_field_says_what_it_means(name: str) -> None:
    for type_ in named_types(full_schema(name)):
        assert len(type_["doc"]) > 10, type_["name"]
        for field in type_.get("fields", ()):
            assert len(field["doc"]) > 10, f"{type_['name']}.{field['name']}"


@pytest.mark.parametrize("name", NAMES)
def test_enums_hold_the_symbols_of_the_records_and_default_to_unknown(name: str) -> None:
    for type_ in named_types(full_schema(name)):
        assert type_["name"].startswith("concierge.")
        if type_["type"] == "enum":
            assert tuple(type_["symbols"]) == ("unknown", *SYMBOLS[type_["name"]])
            assert type_["default"] == "unknown"


@pytest.mark.parametrize("name", NAMES)
def test_every_field_that_may_be_null_may_be_left_out(name: str) -> None:
    for type_ in named_types(full_schema(name)):
        for field in type_.get("fields", ()):
            if isinstance(field["type"], list):
                assert field["type"][0] == "null", field["name"]
                assert field["default"] is None, field["name"]


@pytest.mark.parametrize("name", NAMES)
def test_times_are_declared_as_milliseconds(name: str) -> None:
    for type_ in named_types(full_schema(name)):
        for field in type_.get("fields", ()):
            if field["name"].endswith(("_at", "_until")):
                wanted = {"type": "long", "logicalType": "timestamp-millis"}
                assert field["type"] == wanted, field["name"]


@pytest.mark.parametrize(
    ("name", "struct"),
    [("next-best-actions", records.NextBestAction), ("decisions", records.Decision)],
)
def test_an_output_schema_has_the_fields_of_its_struct(
    name: str, struct: type[msgspec.Struct]
) -> None:
    fields = full_schema(name)["fields"]
    trigger = next(field for field in fields if field["name"] == "trigger")
    for schema_fields, of in (
        (fields, struct),
        (trigger["type"]["fields"], records.Trigger),
    ):
        public = [PUBLIC_NAMES.get(f.name, f.name) for f in msgspec.structs.fields(of)]
        assert [field["name"] for field in schema_fields] == public


def test_a_parsed_schema_is_registered_as_the_same_bytes_each_time() -> None:
    for name in NAMES:
        assert schema_text(name) == schema_text(name)
        assert json.loads(schema_text(name)) == json.loads((AVRO / f"{name}.avsc").read_text())


def test_the_current_version_of_each_schema_is_kept_under_its_id() -> None:
    """A schema that changes takes a new id; the file under the old one stays as it was.

    Docs may change under an id: they say what was accepted all along, or from now on.
    """
    for name, number in BUNDLED_IDS.items():
        kept = json.loads(PREVIOUS[f"{name}.{number}.avsc"].read_text())
        assert without_docs(kept) == without_docs(json.loads(schema_text(name))), (
            f"{name} changed: give it the next free id in schemas/bundled.py and keep a copy "
            f"as schemas/previous/{name}.<id>.avsc"
        )


def test_no_id_was_ever_given_twice() -> None:
    numbers = [name.split(".")[1] for name in PREVIOUS]
    assert len(numbers) == len(set(numbers))
    assert {name.split(".")[0] for name in PREVIOUS} == set(NAMES)


@pytest.mark.parametrize("file", sorted(PREVIOUS))
def test_the_current_schema_breaks_no_promise_of_a_published_one(file: str) -> None:
    old = prepare_writer(PREVIOUS[file].read_text())
    assert old.problem is None
    name = file.split(".")[0]
    assert old.name == name
    published = json.loads(PREVIOUS[file].read_text())
    assert broken_promises(full_schema(name), parse_schema(published)) == []


def test_the_order_of_a_decisions_arrays_is_the_one_that_is_written() -> None:
    said = full_schema("decisions")["doc"]
    assert "sorted by action id, no_action last" in said
    for path in (AVRO.parent / "examples" / "decisions").glob("accepted/*.json"):
        *names, last = json.loads(path.read_text("utf-8"))["actions"]
        assert (names, last) == (sorted(names), "no_action"), path.name


def test_channels_are_asked_to_escape_the_words_of_others() -> None:
    fields = {field["name"]: field["doc"] for field in full_schema("next-best-actions")["fields"]}
    assert "escape it" in fields["message"]
    assert "escaped" in fields["history"]
    page = (AVRO.parents[1] / "deploy" / "SECURITY.md").read_text("utf-8")
    assert "## What channels must escape" in page
