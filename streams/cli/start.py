"""The `concierge` command from its first breath to its last: what no reader should see a trace of.

Somebody presses Ctrl-C while everything is still being imported, or closes the pipe (`head`,
`less`) before all of it is written.
"""

from __future__ import annotations

import gc
import os
import sys

# 128 + SIGINT, as a shell would tell it.
EXIT_INTERRUPTED = 130

# What is imported stays, and by default Python looks through it for garbage every 700 objects: a
# tenth of the way to a worker's first word.
_YOUNG = 50_000


def main() -> None:
    """Import the command line and run it; SystemExit carries the exit code."""
    gc.set_threshold(_YOUNG)
    try:
        # Takes a second or two on a slow disk, in which somebody may have thought better of it.
        from streams.cli.main import main as run

        try:
            run()
        finally:
            # Here, where a closed pipe can still be answered for; Python would only complain.
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has seen enough. What is left must not be tried again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
