"""Exit codes, and the exceptions that end a worker with a message and without a traceback."""

from __future__ import annotations

EXIT_OK = 0
# sysexits.h EX_SOFTWARE: a restart is right; it continues from the last checkpoint.
EXIT_FAILED = 70
# sysexits.h EX_CONFIG: a restart fails again until an operator changes something.
EXIT_CONFIG = 78


class WorkerExit(Exception):
    """A cause outside of the program ends the worker; a restart continues from the checkpoint.

    The message says what happened, where, and what to do about it.
    """

    exit_code = EXIT_FAILED


class ConfigExit(WorkerExit):
    """The worker cannot run until an operator does what the message says."""

    exit_code = EXIT_CONFIG
