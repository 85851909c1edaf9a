"""A million customers' state without a million customers' traffic: real states, many times over."""

from __future__ import annotations

from collections.abc import Iterator

from models.learning.bank import Bank
from models.learning.capture import take
from models.snapshot.snapshot_codec import encode
from schemas.bundled import bundled_schemas
from schemas.records import CATALOGUE, ENCODER, MODEL, Origin, Rejection, Switch
from schemas.topics import CATALOGUES, MODEL_SNAPSHOTS, TIMELINE, customers_changelog
from streams.core.admission.admit import admit
from streams.core.state.codec import encode_customer
from streams.shell.state import stamp
from streams.shell.versions.catalogue_file import parse_catalogue
from streams.shell.versions.version_store import snapshot_key
from tests.bench.broker import PARTITIONS, bulk_producer, produce
from tests.bench.road.installation import Installation
from tests.bench.road.stages import Budget
from tests.bench.road.traffic import Traffic

# Different customers among the copies, and events that each has lived through.
_ORIGINALS, _EVENTS_EACH = 500, 12
_DAY_MS = 86_400_000
# After all that the originals have lived through.
_START_MS = 1_705_320_000_000 + 7 * _DAY_MS


class Seasoned:
    """States and a model as they come from traffic, for putting into installations."""

    def __init__(self, actions: int = 20, originals: int = _ORIGINALS) -> None:
        budget = Budget(originals * _EVENTS_EACH, originals, actions)
        budget.measure()
        # Of a million customers few are in the middle of something.
        budget.rest()
        self.bank: Bank = budget.bank
        self._states = []
        for state in budget.states.values():
            # They are to be put where no timeline has been read yet.
            state.applied_offset = -1
            self._states.append(stamp.pack(0, encode_customer(state)))

    @property
    def mean_bytes(self) -> float:
        """The mean size of an encoded state."""
        return sum(map(len, self._states)) / len(self._states)

    def put_states(self, installation: Installation, customers: int) -> None:
        """Write a changelog of so many customers, as a decide worker would have."""
        changelog = customers_changelog(installation.app_id).name
        count = len(self._states)
        producer = bulk_producer(installation.cluster.client)
        for number in range(customers):
            key = f"customer-{number}".encode()
            produce(producer, changelog, key, self._states[number % count])
        if producer.flush(300):
            raise TimeoutError("the changelog was not acknowledged")

    def put_versions(self, installation: Installation, text: str) -> None:
        """Publish the catalogue and the model, and switch every timeline partition to them."""
        made = parse_catalogue(text.encode(), "bench catalogue")
        snapshot = take(self.bank)
        producer = bulk_producer({**installation.cluster.client, "message.max.bytes": 8_388_608})
        name = installation.name
        produce(producer, name(CATALOGUES), made.version.encode(), text.encode())
        key = snapshot_key(made.model, snapshot.version)
        produce(producer, name(MODEL_SNAPSHOTS), key, encode(snapshot))
        producer.flush(60)
        for number in range(PARTITIONS):
            for switch in (
                Switch(CATALOGUE, CATALOGUE, made.version),
                Switch(MODEL, made.model, snapshot.version),
            ):
                produce(producer, name(TIMELINE), None, ENCODER.encode(switch), number)
        producer.flush(60)


def timeline(events: int, customers: int, seed: int = 7) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield (topic, key, value) of timeline records, as intake makes them of traffic."""
    schemas = bundled_schemas()
    traffic = Traffic(customers, _START_MS, _START_MS + _DAY_MS, seed)
    for number, sent in enumerate(traffic.events(events)):
        origin = Origin(sent.topic, 0, number, sent.value["occurred_at"])
        event = admit(sent.topic, sent.encoded(), origin, schemas)
        if isinstance(event, Rejection):
            raise AssertionError(f"the traffic holds a bad record: {event.detail}")
        yield TIMELINE.name, sent.customer.encode(), ENCODER.encode(event)
