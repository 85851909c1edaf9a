"""JSON Lines and Avro as one JSON text a row; DuckDB checks the text and makes columns of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import fastavro

from streams.files.open_file import DataFileError, ReadOptions, opened, text_lines, undecodable
from streams.files.split_lines import BadLine, Record


def looks_like_lines(path: Path, options: ReadOptions) -> bool:
    """Say whether the first line of a file that is not blank is a whole JSON object."""
    for number, line in text_lines(path, options):
        if number > options.skip_lines and line.strip():
            try:
                return isinstance(json.loads(line), dict)
            except ValueError:
                return False
    return True


def json_lines(path: Path, options: ReadOptions) -> Iterator[Record | BadLine]:
    """Yield the lines of a file that are not blank, with their numbers; they may be no JSON."""
    for number, line in text_lines(path, options):
        if number <= options.skip_lines or not line.strip():
            continue
        problem = undecodable(line, options)
        if problem is None:
            yield Record(number, [line.strip()])
        elif options.encoding is None:
            raise DataFileError(f"{path}:{number}: {problem}")
        else:
            yield BadLine(number, problem, line)


def avro_records(path: Path) -> Iterator[Record]:
    """Yield the records of an Avro file as JSON, counted from 1: times as ISO text with a zone."""
    with opened(path) as plain:
        try:
            for number, values in enumerate(fastavro.reader(plain), start=1):
                if not isinstance(values, dict):
                    raise DataFileError(f"{path}: holds values that are no records")
                text = json.dumps(values, default=_as_text, ensure_ascii=False)
                yield Record(number, [text])
        except (ValueError, IndexError, StopIteration, EOFError) as error:
            raise DataFileError(f"{path}: no readable Avro file: {error}") from error


def _as_text(value: Any) -> str:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)
