"""Log lines: one handler, on standard error, for people or for machines."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TextIO

from streams.runtime.settings import Settings

# They tell of every rebalance step and every fetch; at `debug` they may.
_CHATTY = ("aiokafka", "asyncio", "faust", "httpx2", "httpcore2", "mode")

_TEXT = "%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s  %(message)s"
_DATE = "%Y-%m-%dT%H:%M:%S"


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
    root.handlers[:] = [to]
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(level if level == logging.DEBUG else logging.WARNING)
