"""Entry point of the `concierge` command; it imports the command line and runs it.

Two events must not show a traceback: Ctrl-C during the imports, which take seconds, and a pipe
(`head`, `less`) that is closed before all output is written.
"""

from __future__ import annotations

import gc
import os
import sys

# 128 + SIGINT, as a shell reports it.
EXIT_INTERRUPTED = 130

# Imported objects stay, and by default Python scans them for garbage after every 700 new ones. That
# takes a tenth of the time until a worker's first log line.
_YOUNG = 50_000


def main() -> None:
    """Import the command line and run it; SystemExit carries the exit code."""
    gc.set_threshold(_YOUNG)
    try:
        # Takes a second or two on a slow disk, and Ctrl-C may be pressed meanwhile.
        from streams.cli.main import main as run

        try:
            run()
        finally:
            # A closed pipe can be handled here; at its own exit Python would print an error.
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # The reader has closed the pipe. Python must not try to write the rest at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
