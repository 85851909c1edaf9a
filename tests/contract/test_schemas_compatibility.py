"""The compatibility check refuses what would break a reader or a writer, and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable
from io import BytesIO
from typing import Any

import fastavro
import pytest

from schemas.compatibility import broken_promises, is_bounded, unreadable

OLD: dict[str, Any] = {
    "type": "record",
    "name": "Thing",
    "namespace": "concierge",
    "fields": [
        {"name": "id", "type": "string"},
        {
            "name": "kind",
            "type": {
                "type": "enum",
                "name": "Kind",
                "symbols": ["unknown", "red", "blue"],
                "default": "unknown",
            },
        },
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "note", "type": ["null", "string"], "default": None},
        {"name": "size", "type": "int"},
        {
            "name": "parts",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "Part",
                    "fields": [{"name": "code", "type": "string"}],
                },
            },
        },
        {"name": "counts", "type": {"type": "map", "values": "long"}, "default": {}},
        {"name": "mark", "type": {"type": "fixed", "name": "Mark", "size": 4}},
    ],
}
VALUE = {
    "id": "t-1",
    "kind": "red",
    "at": 0,
    "note": None,
    "size": 3,
    "parts": [{"code": "p"}],
    "counts": {"a": 1},
    "mark": b"abcd",
}


def changed(change: Callable[[dict[str, dict[str, Any]], list[Any]], object]) -> Any:
    """Return OLD after a change of its fields, given by name and as the list."""
    schema = copy.deepcopy(OLD)
    fields = schema["fields"]
    change({field["name"]: field for field in fields}, fields)
    return fastavro.parse_schema(schema)


def same() -> Any:
    return changed(lambda by_name, fields: None)


BREAKING = {
    "a field without default was removed": lambda f, all_: all_.remove(f["size"]),
    "a field without default was added": lambda f, all_: all_.append(
        {"name": "new", "type": "string"}
    ),
    "a symbol was removed": lambda f, _: f["kind"]["type"]["symbols"].remove("blue"),
    "a type changed": lambda f, _: f["size"].update(type="string"),
    "a type was widened, which old readers cannot follow": lambda f, _: f["size"].update(
        type="long"
    ),
    "a default was taken from an optional field that old writers lack": lambda f, all_: all_.append(
        {"name": "new", "type": ["null", "string"]}
    ),
    "null is no longer allowed": lambda f, _: f["note"].update(type="string", default=""),
    "the unit of a time changed": lambda f, _: f["at"]["type"].update(
        logicalType="timestamp-micros"
    ),
    "a nested field was renamed": lambda f, _: f["parts"]["type"]["items"]["fields"][0].update(
        name="sku"
    ),
    "a nested type was renamed": lambda f, _: f["parts"]["type"]["items"].update(name="Piece"),
    "the values of a map changed": lambda f, _: f["counts"]["type"].update(values="string"),
    "a fixed size changed": lambda f, _: f["mark"]["type"].update(size=5),
    "an enum lost its default, and later symbols with it": lambda f, _: (
        f["kind"]["type"].pop("default"),
        f["kind"]["type"]["symbols"].remove("blue"),
    ),
}
HARMLESS = {
    "nothing": lambda f, _: None,
    "an optional field was added": lambda f, all_: all_.append(
        {"name": "new", "type": ["null", "string"], "default": None}
    ),
    "an optional field was removed": lambda f, all_: all_.remove(f["note"]),
    "a symbol was added": lambda f, _: f["kind"]["type"]["symbols"].append("green"),
    "the order of fields changed": lambda f, all_: all_.reverse(),
    "a doc was written": lambda f, _: f["id"].update(doc="Who it is."),
}


@pytest.mark.parametrize("what", BREAKING)
def test_a_breaking_change_is_named(what: str) -> None:
    assert broken_promises(changed(BREAKING[what]), same()), what


@pytest.mark.parametrize("what", HARMLESS)
def test_a_harmless_change_breaks_nothing(what: str) -> None:
    assert broken_promises(changed(HARMLESS[what]), same()) == []


@pytest.mark.parametrize("what", HARMLESS)
def test_what_is_called_readable_is_read_by_fastavro(what: str) -> None:
    other = changed(HARMLESS[what])
    for writer, reader in ((same(), other), (other, same())):
        stream = BytesIO()
        fastavro.schemaless_writer(stream, writer, VALUE)
        stream.seek(0)
        value: Any = fastavro.schemaless_reader(stream, writer, reader)
        assert value["id"] == "t-1"


def test_a_problem_names_the_place() -> None:
    old, new = same(), changed(BREAKING["a nested field was renamed"])
    assert unreadable(new, old) == [
        "record.parts[].sku: the writer has no such field, and the reader's string no default"
    ]


def test_an_alias_finds_a_renamed_field() -> None:
    new = changed(lambda f, _: f["size"].update(name="extent", aliases=["size"]))
    assert unreadable(new, same()) == []
    assert unreadable(same(), new) == [
        "record.size: the writer has no such field, and the reader's int no default"
    ]


def test_promotions_go_one_way() -> None:
    assert unreadable("double", "int") == []
    assert unreadable("int", "double") == [
        "record: the writer's double cannot be read as the reader's int"
    ]
    assert unreadable(["null", "string"], "string") == []
    assert unreadable("string", ["null", "string"]) == [
        "record: the writer's null cannot be read as the reader's string"
    ]
    assert unreadable(["null", "int"], "long") == [
        "record: the writer's long cannot be read as the reader's null or int"
    ]


def in_namespace(namespace: str) -> Any:
    return fastavro.parse_schema(copy.deepcopy(OLD) | {"namespace": namespace})


def test_names_are_compared_without_their_namespaces_when_reading() -> None:
    assert unreadable(same(), in_namespace("com.acme")) == []
    assert unreadable(in_namespace("com.acme"), same()) == []


def test_a_published_name_keeps_its_namespace() -> None:
    problems = broken_promises(in_namespace("com.acme"), same())
    assert problems[0] == (
        "new cannot read old: record: the writer's record concierge.Thing cannot be read as the "
        "reader's record com.acme.Thing"
    )


@pytest.mark.parametrize("logical", ["timestamp-micros", None])
def test_a_published_time_keeps_its_unit(logical: str | None) -> None:
    def change(fields: dict[str, dict[str, Any]], _: list[Any]) -> None:
        fields["at"]["type"] = {"type": "long"} | ({"logicalType": logical} if logical else {})

    assert len(broken_promises(changed(change), same())) == 2


TREE: dict[str, Any] = {
    "type": "record",
    "name": "Tree",
    "fields": [{"name": "branches", "type": {"type": "array", "items": "Tree"}}],
}


def test_a_type_that_holds_itself_can_be_compared_but_is_not_bounded() -> None:
    tree = fastavro.parse_schema(TREE)
    assert unreadable(tree, tree) == []
    assert not is_bounded(tree)


@pytest.mark.parametrize(
    "items",
    [
        "null",
        {"type": "fixed", "name": "Nothing", "size": 0},
        {"type": "record", "name": "Empty", "fields": []},
        {"type": "record", "name": "Nulls", "fields": [{"name": "n", "type": "null"}]},
    ],
)
def test_an_array_of_items_without_bytes_is_not_bounded(items: Any) -> None:
    assert not is_bounded(fastavro.parse_schema({"type": "array", "items": items}))


def test_our_kind_of_schema_is_bounded() -> None:
    assert is_bounded(same())


def test_records_that_name_each_other_many_times_are_measured_once_each() -> None:
    """Without that, 40 records of two fields each would be measured 2**40 times."""
    record: Any = {"type": "record", "name": "R0", "fields": [{"name": "a", "type": "int"}]}
    for number in range(1, 40):
        fields = [{"name": "a", "type": record}, {"name": "b", "type": f"R{number - 1}"}]
        record = {"type": "record", "name": f"R{number}", "fields": fields}
    assert is_bounded(fastavro.parse_schema(record))
