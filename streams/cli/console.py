"""Where commands print: as wide as the terminal, or uncut into a pipe or a file."""

from __future__ import annotations

import sys

from rich.console import Console

# Nothing that is printed is wider; a reader such as `less -S` or `grep` wants whole lines.
_WHOLE_LINES = 2_000


def screen() -> Console:
    """Return the console of standard output."""
    width = None if sys.stdout.isatty() else _WHOLE_LINES
    return Console(width=width, soft_wrap=True, highlight=False)
