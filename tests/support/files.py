"""Helpers of the tests that read data files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streams.files.open_file import ReadOptions
from streams.files.query import Result, run_query
from streams.files.tables import Tables, open_tables

VISITS = "id,customer,at\ne1,ada,2024-03-01T10:00:00Z\n"


def written(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def rows_of(result: Result) -> list[tuple[Any, ...]]:
    return [row for batch in result.batches() for row in batch]


def read(path: Path, sql: str = "SELECT * FROM data", **options: Any) -> list[tuple[Any, ...]]:
    with open_tables([path], ReadOptions(**options)) as tables:
        assert tables.rejected_count == 0
        return rows_of(run_query(tables, sql, "q.sql"))


def rejected(tables: Tables) -> list[tuple[int, str]]:
    return [(row, reason) for row, reason, _ in tables.rejected()]
