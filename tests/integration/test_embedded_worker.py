"""`concierge worker --embedded`: a broker, all topics and a worker by one command."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from confluent_kafka.admin import AdminClient

from schemas.topics import all_topics
from streams.cli.main import concierge
from tests.support.patience import PATIENCE_S

_ENVIRONMENT = {"CONCIERGE_HTTP_PORT": "0", "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def started() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "streams", "worker", "--embedded"]
    process = subprocess.Popen(
        command,
        env=_ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process
    process.kill()
    process.wait()


def _awaited(process: subprocess.Popen[str], pattern: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(pattern, line):
            return found[1]
    raise AssertionError(f"it ended before it printed {pattern}")


def test_it_prints_an_address_at_which_all_topics_are_and_drains_on_sigterm(
    started: subprocess.Popen[str],
) -> None:
    address = _awaited(started, r"export CONCIERGE_KAFKA=(127\.0\.0\.1:\d+)$")
    _awaited(started, r"worker with (intake, decide, learn) on")
    admin = AdminClient({"bootstrap.servers": address})
    assert {topic.name for topic in all_topics("concierge")} <= set(
        admin.list_topics(timeout=PATIENCE_S).topics
    )
    started.send_signal(signal.SIGTERM)
    assert started.wait(PATIENCE_S) == 0


def test_it_takes_no_other_broker() -> None:
    with pytest.raises(click.UsageError, match="leave --kafka out"):
        concierge.main(["worker", "--embedded", "--kafka", "x:1"], standalone_mode=False)
