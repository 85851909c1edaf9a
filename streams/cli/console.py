"""The console of standard output: as wide as a terminal; in a pipe or file lines are not cut."""

from __future__ import annotations

import sys

from rich.console import Console

# No printed line is wider; `less -S` and `grep` need whole lines.
_WIDTH_OF_WHOLE_LINES = 2_000


def stdout_console() -> Console:
    """Return the console of standard output."""
    width = None if sys.stdout.isatty() else _WIDTH_OF_WHOLE_LINES
    return Console(width=width, soft_wrap=True, highlight=False)
