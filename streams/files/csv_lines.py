"""Split the lines of a CSV file into records, so that every line is in a record or rejected.

In: the lines of a file. Out: the header, then `Record`s and `BadLine`s in the file's order.
What may surprise: when a quote is opened and not closed properly, only the line where it opens is
rejected; reading goes on with the next line, so that no rows vanish inside a cell.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from streams.files.open_file import DataFileError, ReadOptions, text_lines, undecodable
from streams.files.split_lines import BadLine, Record
from streams.files.sql_names import unique_names

_DELIMITERS = (",", ";", "\t", "|")
# Spreadsheets write `sep=;` as the first line to say what parts the cells.
_SEP_LINE = re.compile(r'"?sep=(.)"?\r?\n?$')
# A cell may hold an e-mail, not a book: a quote that is open for longer is taken for unclosed.
MAX_RECORD_LINES = 10_000
MAX_RECORD_CHARS = 1_000_000
# A file that begins with more lines with # than this holds rows, not comments.
_MAX_COMMENTS = 1_000


class CsvFile:
    """An open CSV file: `columns` are its header's names, `records` reads the rest once.

    `skipped_comments` is the number of comment lines before the header.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path, self._options = path, options
        self._lines = text_lines(path, options)
        self._pending: deque[tuple[int, str]] = deque()
        self._taken: list[tuple[int, str]] = []
        self._csv: Iterator[list[str]] | None = None
        self.delimiter = options.delimiter or ("\t" if ".tsv" in path.suffixes else None)
        self.skipped_comments = 0
        self._skip_preamble()
        self.columns = self._header()

    def records(self) -> Iterator[Record | BadLine]:
        """Yield a Record or a BadLine for each record after the header; blank lines are none."""
        width = len(self.columns)
        while True:
            found = self._next()
            if found is None:
                return
            if isinstance(found, BadLine):
                yield found
                continue
            cells = found.cells
            if len(cells) > width and not any(cells[width:]):
                del cells[width:]
            if len(cells) == width:
                yield found
            else:
                what = f"{len(cells)} cells where the header has {width}"
                yield BadLine(found.number, what, self._text())

    def _skip_preamble(self) -> None:
        """Go to the header: past stated lines, `sep=`, blank lines, and comments.

        A line that begins with # is a comment where it has another number of cells than the
        first line that does not; else it may be the header (`#id,name`). Without a header there
        are no comments: `#1001` is an order.
        """
        leading: list[tuple[int, str]] = []
        for number, line in self._lines:
            if number <= self._options.skip_lines or not line.strip():
                continue
            stated = _SEP_LINE.match(line)
            if stated is not None and not leading:
                self.delimiter = self.delimiter or stated[1]
                continue
            leading.append((number, line))
            comment = self._options.header and line.startswith("#")
            if not comment or len(leading) > _MAX_COMMENTS:
                break
        if not leading:
            raise DataFileError(f"{self._path}: holds no header line")
        last = leading[-1][1]
        if self.delimiter is None:
            bare = re.sub(r'"[^"]*"', "", last)
            self.delimiter = max(_DELIMITERS, key=bare.count)
        width = self._width(last)
        while self._width(leading[0][1]) != width:
            leading.pop(0)
            self.skipped_comments += 1
        self._pending.extend(leading)

    def _width(self, line: str) -> int:
        """Return the number of cells of one line."""
        try:
            return len(next(self._reader(iter([line])), []))
        except csv.Error:
            return line.count(self.delimiter or ",") + 1

    def _header(self) -> tuple[str, ...]:
        number, line = self._pending[0]
        if not self._options.header:
            return tuple(f"column{place}" for place in range(self._width(line)))
        found = self._next()
        if not isinstance(found, Record):
            reason = found.reason if found else "nothing found"
            raise DataFileError(f"{self._path}:{number}: the header cannot be read: {reason}")
        return unique_names([cell or "" for cell in found.cells])

    def _reader(self, lines: Iterator[str]) -> Iterator[list[str]]:
        csv.field_size_limit(MAX_RECORD_CHARS)
        quote = self._options.quote
        return csv.reader(
            lines,
            delimiter=self.delimiter or ",",
            quotechar=quote or None,
            quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
            strict=True,
        )

    def _next(self) -> Record | BadLine | None:
        """Return the next record that is not blank; None at the end of the file."""
        while True:
            self._taken.clear()
            if self._csv is None:
                self._csv = self._reader(self._take())
            try:
                cells = next(self._csv, None)
            except (csv.Error, _TooLong) as error:
                self._csv = None
                return self._rejected(str(error))
            if cells is None:
                return None
            if not cells:
                continue
            number = self._taken[0][0]
            problem = undecodable(self._text(), self._options)
            if problem is not None:
                if self._options.encoding is None:
                    raise DataFileError(f"{self._path}:{number}: {problem}")
                return BadLine(number, problem, self._text())
            return Record(number, [cell or None for cell in cells])

    def _take(self) -> Iterator[str]:
        """Yield lines to the csv reader, and keep those of the record that it reads."""
        taken, pending = self._taken, self._pending
        chars = 0
        while True:
            numbered = pending.popleft() if pending else next(self._lines, None)
            if numbered is None:
                return
            taken.append(numbered)
            chars = len(numbered[1]) if len(taken) == 1 else chars + len(numbered[1])
            if len(taken) > MAX_RECORD_LINES or chars > MAX_RECORD_CHARS:
                raise _TooLong
            yield numbered[1]

    def _rejected(self, reason: str) -> BadLine:
        """Reject the line where the record begins; its other lines are read again."""
        (number, line), *others = self._taken
        self._taken.clear()
        self._pending.extendleft(reversed(others))
        if "unexpected end" in reason or reason == "":
            reason = "a quote is opened here and never closed"
        elif "expected after" in reason:
            reason = "a quote is closed in the middle of a cell"
        return BadLine(number, f"{reason}; if quotes are ordinary characters: --quote ''", line)

    def _text(self) -> str:
        return "".join(line for _, line in self._taken)


class _TooLong(Exception):
    """A record goes on for too many lines."""
