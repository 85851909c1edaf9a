"""The known word that a misspelt one probably means."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# Below this likeness a suggestion puzzles more often than it helps.
_LIKENESS = 0.6


def near(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean `X`?" for the known word nearest to `word`, or nothing."""
    written = {name.lower(): name for name in sorted(known)}
    close = difflib.get_close_matches(word.lower(), written, n=1, cutoff=_LIKENESS)
    return f"; did you mean `{written[close[0]]}`?" if close else ""
