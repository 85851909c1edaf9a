"""The engine's surroundings in this process: store, versions, and a clock for its stages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from models.learning.bank import Bank
from models.learning.capture import take
from models.scoring import linear_scorer
from streams.core.features.definitions import FEATURE_VERSION
from streams.core.state.customer import (
    CustomerState,
)
from streams.core.state.partition import (
    PartitionState,
)
from streams.shell.versions.catalogue_file import parse_catalogue
from streams.worker.new_models import new_model
from streams.worker.version_makers import scorer_of


class Clocked:
    """Processor seconds by stage."""

    def __init__(self) -> None:
        self.spent_s: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Charge what happens inside to a stage."""
        begun_s = time.thread_time()
        try:
            yield
        finally:
            self.spent_s[name] = self.spent_s.get(name, 0.0) + time.thread_time() - begun_s

    def wrapped(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, its time charged to a stage."""
        clock, spent, overhead_s = time.thread_time, self.spent_s, _reading_s()
        spent.setdefault(name, 0.0)

        def timed(*arguments: Any) -> Any:
            begun_s = clock()
            made = function(*arguments)
            spent[name] += clock() - begun_s - overhead_s
            return made

        return timed


def _reading_s() -> float:
    """Return what it costs to read the clock: a fold is short enough to feel it."""
    begun_s = time.thread_time()
    for _ in range(1_000):
        time.thread_time()
    return (time.thread_time() - begun_s) / 1_000


class Store:
    """The states of a partition, decoded, and which of them changed."""

    def __init__(self) -> None:
        self.states: dict[str, CustomerState] = {}
        self.changed: set[str] = set()
        self._known = PartitionState()

    def get(self, customer: str) -> CustomerState | None:
        return self.states.get(customer)

    def put(self, customer: str, state: CustomerState) -> None:
        self.states[customer] = state
        self.changed.add(customer)

    def partition_state(self) -> PartitionState:
        return self._known

    def put_partition_state(self, state: PartitionState) -> None:
        self._known = state


class TaughtVersions:
    """One catalogue, and the model as it was taught so far."""

    def __init__(self, text: str) -> None:
        self.made = parse_catalogue(text.encode(), "bench catalogue")
        self.bank: Bank = new_model(self.made.model, 0)
        self.clocked = Clocked()

    def catalogue(self, version: str) -> Any:
        return self.made

    def scorer(self, model: str, version: str | None, actions: Sequence[Any]) -> Any:
        if version is None:
            return scorer_of(model, None, None, actions)
        scorer: Any = linear_scorer(take(self.bank), actions, FEATURE_VERSION)
        scorer.propensities = self.clocked.wrapped("score", scorer.propensities)
        return scorer
