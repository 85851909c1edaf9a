"""Log lines: one handler, on standard error, for people or for machines."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TextIO

from streams.shell.settings.settings import Settings

# They tell of every rebalance step and every fetch; at `debug` they may. Faust's services log under
# the module of the class derived from them, which is one of ours; our own lines are `concierge.*`.
_CHATTY = ("aiokafka", "asyncio", "faust", "httpx2", "httpcore2", "mode", "streams")
# While brokers are away each attempt to reach them is an error of its own, a hundred a second.
_AGAIN_AFTER_S = 30.0

_TEXT = "%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s  %(message)s"
_DATE = "%Y-%m-%dT%H:%M:%S"


class RateLimitFilter(logging.Filter):
    """Let one line per library's logger through in `_AGAIN_AFTER_S`, with how many were left out.

    Our own lines all pass.
    """

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line is written."""
        if record.levelno < logging.WARNING or not record.name.startswith(_CHATTY):
            return True
        since_s, left_out = self._told.get(record.name, (-_AGAIN_AFTER_S, 0))
        if record.created - since_s < _AGAIN_AFTER_S:
            self._told[record.name] = (since_s, left_out + 1)
            return False
        self._told[record.name] = (record.created, 0)
        if left_out:
            record.msg, record.args = f"{record.getMessage()} (and {left_out} lines more)", ()
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
    """Send every log line of the process to `stream` (standard error), once, as configured."""
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
    # At `debug` it writes every request, and one of them holds the password.
    logging.getLogger("aiokafka.conn").setLevel(max(level, logging.WARNING))
