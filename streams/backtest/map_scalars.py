"""Small parts of a back-test's map: numbers, durations, lists of names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from streams.core.catalogue_yaml.durations import UNITS_MS, durations
from streams.demo.mapping_file import Document, shown


def number(document: Document, value: Any, path: str) -> float:
    """Return a number of the file; MappingError when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        document.fail(path, f"expected a number, found {shown(value)}")
    return float(value)


def between_0_and_1(document: Document, value: Any, path: str) -> float:
    """Return a number between 0 and 1, both excluded."""
    found = number(document, value, path)
    if not 0.0 < found < 1.0:
        document.fail(path, f"must lie between 0 and 1, found {found:g}")
    return found


def duration_ms(
    document: Document, table: Mapping[str, Any], stem: str, path: str = ""
) -> int | None:
    """Return the duration under `stem`_days, _hours, _minutes or _seconds; None without one."""
    keys = [key for key in durations(stem) if key in table]
    at = f"{path}." if path else ""
    if len(keys) > 1:
        document.fail(at + keys[1], f"{keys[0]} is given already; give one of them")
    if not keys:
        return None
    amount = number(document, table[keys[0]], at + keys[0])
    span = round(amount * UNITS_MS[keys[0].rpartition("_")[2]])
    if span <= 0:
        document.fail(at + keys[0], "must be above 0")
    return span


def strings(
    document: Document, value: Any, path: str, read: Callable[[Any, str], str]
) -> tuple[str, ...]:
    """Return a list of names, each through `read` (a column is remembered as needed)."""
    entries = document.items(value, path)
    return tuple(read(entry, f"{path}.{place}") for place, entry in enumerate(entries))
