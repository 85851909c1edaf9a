"""What a person may choose for a long run: `make chaos ARGS="--kills 200 --seed 7"`."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("chaos")
    group.addoption("--kills", type=int, default=100, help="how many workers the long run kills")
    group.addoption("--seed", type=int, default=1, help="what all chance comes from")
    group.addoption("--backlog", type=int, default=1_000_000, help="events of the longest backlog")


def _option(request: pytest.FixtureRequest, name: str, otherwise: int) -> int:
    # Not known where the whole suite runs: then this file is read too late to declare it.
    chosen: int = request.config.getoption(name, otherwise)
    return chosen


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    return _option(request, "--seed", 1)


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    return _option(request, "--kills", 100)


@pytest.fixture
def backlog(request: pytest.FixtureRequest) -> int:
    return _option(request, "--backlog", 1_000_000)
