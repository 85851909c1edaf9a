"""A logical type of the same unit is read, one of another unit is refused with both sides named."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.compatibility import unreadable


@pytest.mark.parametrize(
    ("reader", "writer"),
    [
        ({"type": "long", "logicalType": "timestamp-millis"}, "long"),
        ("long", {"type": "long", "logicalType": "timestamp-millis"}),
        ("long", {"type": "int", "logicalType": "time-millis"}),
        ("string", {"type": "string", "logicalType": "uuid"}),
        ("long", {"type": "long", "logicalType": "com.acme.Ticks"}),
        ({"type": "string", "logicalType": "uuid"}, "string"),
    ],
)
def test_a_logical_type_that_changes_no_unit_is_ignored(reader: Any, writer: Any) -> None:
    assert unreadable(reader, writer) == []


@pytest.mark.parametrize(
    ("reader", "writer", "said"),
    [
        (
            {"type": "long", "logicalType": "timestamp-millis"},
            {"type": "long", "logicalType": "timestamp-micros"},
            "the writer's long (timestamp-micros) cannot be read as the reader's long "
            "(timestamp-millis)",
        ),
        (
            {"type": "long", "logicalType": "timestamp-millis"},
            {"type": "long", "logicalType": "local-timestamp-millis"},
            "the writer's long (local-timestamp-millis) cannot be read as the reader's long "
            "(timestamp-millis)",
        ),
        (
            "long",
            {"type": "long", "logicalType": "time-micros"},
            "the writer's long (time-micros) cannot be read as the reader's long",
        ),
        (
            "string",
            {"type": "bytes", "logicalType": "decimal", "precision": 9},
            "the writer's bytes (decimal) cannot be read as the reader's string",
        ),
    ],
)
def test_a_logical_type_of_another_unit_is_refused_with_both_sides_named(
    reader: Any, writer: Any, said: str
) -> None:
    assert unreadable(reader, writer) == [f"record: {said}"]
