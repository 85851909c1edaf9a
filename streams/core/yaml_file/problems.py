"""Everything that is wrong with a catalogue, collected so that an owner mends it in one go."""

from __future__ import annotations

# People mend a file from the top; more lines than this do not help.
MAX_PROBLEMS = 100


class CatalogueError(ValueError):
    """A catalogue that cannot be used.

    `problems` has one line for each thing wrong, in the order of the file:
    `file:line path: what is wrong and what to do`.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Problems:
    """Collects what is wrong with one source; the same problem is kept once."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._found: dict[tuple[int, str, str], None] = {}

    def add(self, line: int, path: str, what: str) -> None:
        """Keep a problem at a 1-based line; `path` may be empty (the whole file)."""
        self._found[(line, path, what)] = None

    def error(self) -> CatalogueError | None:
        """Return the error to raise, or None when nothing is wrong."""
        if not self._found:
            return None
        lines = [
            f"{self._source}:{line} {path}: {what}" if path else f"{self._source}:{line}: {what}"
            for line, path, what in sorted(self._found, key=lambda problem: problem[0])
        ]
        if len(lines) > MAX_PROBLEMS:
            more = len(lines) - MAX_PROBLEMS
            lines = [*lines[:MAX_PROBLEMS], f"{self._source}: and {more} more problems"]
        return CatalogueError(lines)
