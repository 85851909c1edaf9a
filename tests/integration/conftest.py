"""Fixtures of the tests with brokers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.secure_kafka import SecureKafka, running_secure_kafka
from tests.support.fake_registry import FakeRegistry, serving


@pytest.fixture(scope="session")
def secure_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    """One real Kafka with logins, certificates and an authorizer, for the whole run."""
    with running_secure_kafka(tmp_path_factory.mktemp("secure-kafka")) as secure:
        yield secure


@pytest.fixture
def server() -> Iterator[FakeRegistry]:
    """A schema registry in memory."""
    with serving() as registry:
        yield registry
