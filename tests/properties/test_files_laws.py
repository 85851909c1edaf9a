"""Laws of reading CSV: every line is in one record or rejected, and what was written comes back."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from streams.files.csv_lines import CsvFile
from streams.files.open_file import ReadOptions
from streams.files.split_lines import BadLine, Record

_LINE_END = re.compile(r"\r\n|\n|\r")
_CELLS = st.lists(st.text('ab,;"\n\r\té', max_size=6), min_size=2, max_size=2)


def read(text: str, options: ReadOptions) -> tuple[CsvFile, list[Record | BadLine]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(text.encode())
        file = CsvFile(path, options)
        return file, list(file.records())


def lines_of(found: Record | BadLine) -> int:
    if isinstance(found, BadLine):
        return len(list(io.StringIO(found.text, newline="")))
    return 1 + sum(len(_LINE_END.findall(cell or "")) for cell in found.cells)


@given(st.text('ab,;" \n\r', max_size=80))
def test_every_line_is_in_one_record_or_rejected(text: str) -> None:
    _, found = read("x,y\n" + text, ReadOptions(delimiter=","))
    lines = list(io.StringIO(text, newline=""))
    taken: set[int] = set()
    for item in found:
        own = set(range(item.number, item.number + lines_of(item)))
        assert not own & taken
        taken |= own
    blank = {number for number, line in enumerate(lines, start=2) if not line.strip("\r\n")}
    assert taken | blank == set(range(2, len(lines) + 2))


@given(
    st.lists(_CELLS, min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_was_written_comes_back_cell_by_cell(
    rows: list[list[str]], delimiter: str, line_end: str
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([["x", "y"], *rows])
    file, found = read(out.getvalue(), ReadOptions())
    assert file.columns == ("x", "y")
    assert [item.cells for item in found if isinstance(item, Record)] == [
        [cell or None for cell in row] for row in rows
    ]
    assert len(found) == len(rows)
