"""The file of what a feed rejected: one JSON object a line, in ASCII, so that any text fits."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import IO

from streams.feed.file_feed import Rejected
from streams.files.open_file import DataFileError

SHOWN = 10


@dataclass
class RejectFile:
    """Takes what is rejected; no file stays when there is nothing. `shown` are the first few.

    `path` None keeps no file.
    """

    path: Path | None
    count: int = 0
    shown: list[Rejected] = field(default_factory=list)
    _file: IO[bytes] | None = None
    # What an earlier run of the same feed wrote.
    _before: set[bytes] = field(default_factory=set)

    def open(self, *, append: bool) -> None:
        """Open the file for writing; DataFileError when it cannot be.

        With `append` it keeps what it holds, and nothing is written that it holds already.
        """
        if self.path is None:
            return
        try:
            self._file = self.path.open("a+b" if append else "wb")
            if append:
                self._file.seek(0)
                self._before = {_digest(line) for line in self._file}
        except OSError as error:
            raise DataFileError(
                f"{self.path}: cannot be written: {error.strerror}; nothing was sent"
            ) from error

    def take(self, rejected: Rejected) -> None:
        """Keep one."""
        self.count += 1
        if len(self.shown) < SHOWN:
            self.shown.append(rejected)
        if self._file is None:
            return
        line = json.dumps(rejected._asdict(), default=str).encode("ascii") + b"\n"
        if not self._before or _digest(line) not in self._before:
            self._file.write(line)

    def close(self) -> None:
        """Finish the file; an empty one is removed."""
        if self._file is None or self.path is None:
            return
        self._file.close()
        self._file = None
        if self.path.is_file() and not self.path.stat().st_size:
            self.path.unlink()


def _digest(line: bytes) -> bytes:
    return blake2b(line, digest_size=16).digest()
