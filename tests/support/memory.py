"""A timeline partition in memory: drives the pure engine without a broker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from models.protocol import ActionKey, Scorer
from models.scoring import prior_scorer
from schemas.records import TimelineRecord
from streams.core.catalogue.values import Catalogue
from streams.core.engine.engine import Engine, Outputs
from streams.core.state.codec import (
    decode_customer,
    decode_partition,
    encode_customer,
    encode_partition,
    peek_due_ms,
)
from streams.core.state.customer import (
    CustomerState,
)
from streams.core.state.partition import (
    PartitionState,
)


class MemoryStore:
    """State as a dict; `reload` takes it through its stored form, as a checkpoint would."""

    def __init__(self) -> None:
        self.states: dict[str, CustomerState] = {}
        self.partition = PartitionState()

    def get(self, customer: str) -> CustomerState | None:
        return self.states.get(customer)

    def put(self, customer: str, state: CustomerState) -> None:
        self.states[customer] = state

    def partition_state(self) -> PartitionState:
        return self.partition

    def put_partition_state(self, state: PartitionState) -> None:
        self.partition = state

    def save(self) -> tuple[dict[str, bytes], bytes]:
        """Return everything as the bytes a changelog would hold."""
        customers = {name: encode_customer(state) for name, state in self.states.items()}
        return customers, encode_partition(self.partition)

    @classmethod
    def load(cls, saved: tuple[dict[str, bytes], bytes]) -> MemoryStore:
        """Return a store of what `save` returned."""
        store = cls()
        store.states = {name: decode_customer(data) for name, data in saved[0].items()}
        store.partition = decode_partition(saved[1])
        return store


class MemoryVersions:
    """The catalogues and scorers of a test."""

    def __init__(self, *catalogues: Catalogue, prior: float = 0.05) -> None:
        self.catalogues = {catalogue.version: catalogue for catalogue in catalogues}
        self.scorers: dict[tuple[str, str], object] = {}
        self.prior = prior

    def catalogue(self, version: str) -> Catalogue:
        return self.catalogues[version]

    def scorer(self, model: str, version: str | None, actions: Sequence[ActionKey]) -> Scorer:
        return prior_scorer(actions, self.prior)


class Log:
    """One partition of a timeline with its engine and store, to be advanced in any batches."""

    def __init__(self, versions: MemoryVersions, salt: str = "test") -> None:
        self.versions = versions
        self.salt = salt
        self.store = MemoryStore()
        self.engine = Engine(versions, salt)

    def copy(self) -> Log:
        """Return another log that stands where this one does."""
        log = Log(self.versions, self.salt)
        log.store = self.store
        log.restart()
        return log

    def restart(self) -> None:
        """Lose the process, keep what was stored."""
        saved = self.store.save()
        self.store = MemoryStore.load(saved)
        self.engine = Engine(self.versions, self.salt)
        self.engine.recover(0, ((name, peek_due_ms(data)) for name, data in saved[0].items()))

    def play(
        self, records: Iterable[tuple[int, TimelineRecord]], batch_size: int = 1_000
    ) -> Outputs:
        """Advance by (offset, record) in batches; return everything that came out."""
        everything = Outputs()
        remaining = iter(records)
        while batch := list(islice(remaining, batch_size)):
            out = self.engine.advance(0, batch, self.store)
            everything.actions += out.actions
            everything.decisions += out.decisions
            everything.lessons += out.lessons
            everything.notes += out.notes
        return everything
