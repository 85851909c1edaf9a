"""The file of what a feed rejected: one JSON object a line, in ASCII, so that any text fits."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from streams.feed.file_feed import Rejected

SHOWN = 10


@dataclass
class RejectFile:
    """Takes what is rejected; the file is made when there is something. `shown` are the first few.

    `path` None keeps no file.
    """

    path: Path | None
    count: int = 0
    shown: list[Rejected] = field(default_factory=list)
    _file: IO[str] | None = None

    def take(self, rejected: Rejected) -> None:
        """Keep one."""
        self.count += 1
        if len(self.shown) < SHOWN:
            self.shown.append(rejected)
        if self.path is None:
            return
        if self._file is None:
            self._file = self.path.open("w", encoding="ascii")
        self._file.write(json.dumps(rejected._asdict(), default=str) + "\n")

    def close(self) -> None:
        """Finish the file."""
        if self._file is not None:
            self._file.close()
