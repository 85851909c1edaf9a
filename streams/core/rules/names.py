"""The word somebody probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# Below this likeness a suggestion puzzles more often than it helps.
_LIKENESS = 0.6


def near(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean `X`?" for the known word nearest to `word`, or nothing."""
    close = difflib.get_close_matches(word.lower(), sorted(known), n=1, cutoff=_LIKENESS)
    return f"; did you mean `{close[0]}`?" if close else ""
