"""Log lines for machines are one JSON object each."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from streams.shell.settings.settings import Settings
from streams.shell.telemetry.logs import set_up_logs


@pytest.fixture(autouse=True)
def _root_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_failure_is_one_json_line_with_its_trace() -> None:
    stream = io.StringIO()
    set_up_logs(Settings(log_format="json"), stream)
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("concierge.test").exception("it broke at %s", "offset 7")
    [line] = stream.getvalue().splitlines()
    written = json.loads(line)
    assert written["level"] == "error"
    assert written["logger"] == "concierge.test"
    assert written["message"] == "it broke at offset 7"
    assert "ValueError: two" in written["error"]
    assert written["at"].endswith("Z")


def test_lines_below_the_level_and_chatter_of_libraries_are_left_out() -> None:
    stream = io.StringIO()
    set_up_logs(Settings(log_level="info"), stream)
    logging.getLogger("concierge.test").debug("not this")
    logging.getLogger("aiokafka.consumer").info("nor this")
    logging.getLogger("concierge.test").info("but this")
    [line] = stream.getvalue().splitlines()
    assert "INFO    concierge.test  but this" in line
