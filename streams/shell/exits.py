"""Why a worker ends when it is no bug: the message says it all, and no trace is shown."""

from __future__ import annotations

EXIT_OK = 0
# sysexits.h EX_SOFTWARE: restarting is right, the last checkpoint is what counts.
EXIT_FAILED = 70
# sysexits.h EX_CONFIG: restarting alone ends the same way, somebody has to do something first.
EXIT_CONFIG = 78


class WorkerExit(Exception):
    """Something outside of the program ended the worker; a restart goes on where it was safe.

    The message says what happened, where, and what to do about it.
    """

    exit_code = EXIT_FAILED


class ConfigExit(WorkerExit):
    """The worker refuses to run as things are: somebody has to do what the message says first."""

    exit_code = EXIT_CONFIG
