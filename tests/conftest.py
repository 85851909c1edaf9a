"""Fixtures shared by all tests: both brokers, the shared data, seeded hypothesis."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from streams.shell.kafka.embedded import EmbeddedBroker
from tests.support.checkout import ROOT
from tests.support.dealing import ModulesOfBrokersWhole
from tests.support.kafka import KafkaUnavailable, RealKafka

# Same examples on every machine and every run; a slow machine is no failure.
hypothesis.settings.register_profile("concierge", derandomize=True, deadline=None)
hypothesis.settings.load_profile("concierge")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ModulesOfBrokersWhole:
    return ModulesOfBrokersWhole(config, log)


@pytest.fixture(scope="session")
def embedded_broker() -> Iterator[EmbeddedBroker]:
    """One embedded broker for the whole run; part its topics with `topic_prefix`."""
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture(scope="session")
def kafka() -> Iterator[RealKafka]:
    """One real Kafka for the whole run; skipped where it cannot run, failed where it must."""
    try:
        broker = RealKafka()
    except KafkaUnavailable as missing:
        if os.environ.get("CONCIERGE_REQUIRE_KAFKA") == "1":
            pytest.fail(f"CONCIERGE_REQUIRE_KAFKA=1, but {missing}")
        pytest.skip(str(missing))
    with broker:
        yield broker


@pytest.fixture
def topic_prefix() -> str:
    """A prefix that keeps one test's topics and groups apart from another's on one broker."""
    return f"t{uuid.uuid4().hex[:10]}."


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public data sets (CONCIERGE_DATA, else `../shared/data`), or a skip."""
    folder = Path(os.environ.get("CONCIERGE_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}; CONCIERGE_DATA may name another folder")
    return folder
