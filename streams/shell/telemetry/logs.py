"""Set-up of the log: one handler on standard error, as text or as JSON lines."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TextIO

from streams.shell.settings.settings import Settings

# These loggers report every rebalance step and every fetch, which is wanted only at `debug`.
# Faust's services log under the module of the derived class, which is ours (`streams`); our own
# loggers are named `concierge.*`.
_CHATTY = ("aiokafka", "asyncio", "faust", "httpx2", "httpcore2", "mode", "streams")
# While brokers are unreachable, every attempt to connect logs an error, a hundred a second.
_LIBRARY_LINE_INTERVAL_S = 30.0

_TEXT = "%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s  %(message)s"
_DATE = "%Y-%m-%dT%H:%M:%S"


class RateLimitFilter(logging.Filter):
    """Passes one warning or error per library logger in `_LIBRARY_LINE_INTERVAL_S` seconds.

    The line says how many were dropped since the one before. Lines of our own loggers all pass.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last_passed: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line is written; the number of dropped lines is added to it."""
        if record.levelno < logging.WARNING or not record.name.startswith(_CHATTY):
            return True
        since_s, dropped = self._last_passed.get(record.name, (-_LIBRARY_LINE_INTERVAL_S, 0))
        if record.created - since_s < _LIBRARY_LINE_INTERVAL_S:
            self._last_passed[record.name] = (since_s, dropped + 1)
            return False
        self._last_passed[record.name] = (record.created, 0)
        if dropped:
            record.msg, record.args = f"{record.getMessage()} (and {dropped} lines more)", ()
        return True


class JsonLines(logging.Formatter):
    """One JSON object a line: at, level, logger, message and, after a failure, error."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        line = {
            "at": f"{self.formatTime(record, _DATE)}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up_logs(settings: Settings, stream: TextIO | None = None) -> None:
    """Write every log line of the process to `stream` (default: standard error), as configured."""
    as_json = settings.log_format == "json"
    line = JsonLines() if as_json else logging.Formatter(_TEXT, _DATE)
    line.converter = time.gmtime
    to = logging.StreamHandler(sys.stderr if stream is None else stream)
    to.setFormatter(line)
    root = logging.getLogger()
    if settings.log_level != "debug":
        to.addFilter(RateLimitFilter())
    root.handlers[:] = [to]
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(level if level == logging.DEBUG else logging.WARNING)
    # At `debug` this logger writes every request, and one of them contains the password.
    logging.getLogger("aiokafka.conn").setLevel(max(level, logging.WARNING))
