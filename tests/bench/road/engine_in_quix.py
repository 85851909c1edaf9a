"""Concierge's pure engine in a Quix Streams application: state bytes in Quix's own store.

Run by the interpreter of Quix's environment, with the project's root on its path:
`python engine_in_quix.py BOOTSTRAP TIMELINE ACTIONS DECISIONS APP_ID FOLDER CATALOGUE`
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from quixstreams import Application, message_context  # type: ignore[import-not-found]

from models.scoring import prior_scorer
from schemas.encoders import Encoders
from schemas.records import CATALOGUE, TIMELINE_DECODER, CustomerEvent
from schemas.wire import BUNDLED_IDS
from streams.core.catalogue.loading import load_catalogue
from streams.core.engine.engine import Engine
from streams.core.features.definitions import FEATURES
from streams.core.moments import MOMENTS
from streams.core.state.codec import decode_customer, encode_customer
from streams.core.state.customer import (
    CustomerState,
)
from streams.core.state.partition import (
    PartitionState,
    SwitchedVersion,
)

_STATE = "state"
# As `streams.worker.version_makers.PRIOR`, which needs what is not installed there.
_PRIOR = 0.05


class OneCustomer:
    """The engine's store for the one record in hand."""

    def __init__(self, state: Any, known: PartitionState) -> None:
        self._state = state
        self._known = known

    def get(self, customer: str) -> CustomerState | None:
        data = self._state.get_bytes(_STATE)
        return None if data is None else decode_customer(data)

    def put(self, customer: str, state: CustomerState) -> None:
        self._state.set_bytes(_STATE, encode_customer(state))

    def partition_state(self) -> PartitionState:
        return self._known

    def put_partition_state(self, state: PartitionState) -> None:
        self._known = state


class Deciding:
    """What is done with a timeline record: the same engine, a wave of one."""

    def __init__(self, text: str) -> None:
        kinds = {name: feature.kind for name, feature in FEATURES.items()}
        self._made = load_catalogue(text, "catalogue", kinds, MOMENTS)
        version = self._made.version
        self._known = PartitionState(switches=[SwitchedVersion(0, CATALOGUE, CATALOGUE, version)])
        self._engine = Engine(self, "concierge")
        self._encoders = Encoders(BUNDLED_IDS)

    def catalogue(self, version: str) -> Any:
        return self._made

    def scorer(self, model: str, version: str | None, actions: Any) -> Any:
        return prior_scorer(actions, _PRIOR)

    def work(self, payload: bytes, state: Any) -> list[tuple[bool, bytes]]:
        record: CustomerEvent = TIMELINE_DECODER.decode(payload)  # type: ignore[assignment]
        here = message_context()
        store = OneCustomer(state, self._known)
        out = self._engine.advance(here.partition, [(here.offset, record)], store)
        made = [(False, self._encoders.decision(decision)) for decision in out.decisions]
        return made + [(True, self._encoders.action(action)) for action in out.actions]


def main(arguments: list[str]) -> None:
    bootstrap, timeline, actions, decisions, app_id, folder, catalogue = arguments
    app = Application(
        broker_address=bootstrap,
        consumer_group=app_id,
        auto_offset_reset="earliest",
        state_dir=folder,
        loglevel="WARNING",
        producer_extra_config={"compression.type": "lz4", "enable.idempotence": True},
    )
    deciding = Deciding(Path(catalogue).read_text("utf-8"))
    raw = {"key_deserializer": "bytes", "value_deserializer": "bytes"}
    to_raw = {"key_serializer": "bytes", "value_serializer": "bytes"}
    records = app.dataframe(app.topic(timeline, **raw))
    # Switches and ticks, for every partition: no keyed state could take them.
    records = records.filter(lambda value, key, at, headers: key is not None, metadata=True)
    made = records.apply(deciding.work, stateful=True, expand=True)
    for is_action, name in ((False, decisions), (True, actions)):
        chosen = made.filter(lambda each, wanted=is_action: each[0] is wanted)
        chosen.apply(lambda each: each[1]).to_topic(app.topic(name, **to_raw))
    app.run()


if __name__ == "__main__":
    main(sys.argv[1:])
