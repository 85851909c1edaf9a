"""Broken records in any number: seeded mutations of valid ones, and what admission says of them."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from schemas.avro_writer import write_long
from schemas.bundled import WriterSchema, bundled_schemas, prepare_writer, schema_text
from schemas.reasons import REASONS
from schemas.records import ENCODER, TIMELINE_DECODER, Origin, Rejection
from schemas.topics import INPUTS
from schemas.wire import encode_event
from streams.core.admission.admit import admit
from tests.bench.road.traffic import Traffic
from tests.support.example_files import accepted_examples

ACCEPTED = "accepted"
_SEEN_AT_MS = 1_717_236_000_040
_HEADER_BYTES = 5
# A producer of another release: one field more than ours, read by resolving.
_OTHER_RELEASE_ID = 50
_TRAFFIC = 400
_LONGEST_DETAIL = 600


class Crash(AssertionError):
    """Bytes that were neither admitted nor refused; the message holds them."""


class _Schemas:
    """The bundled schemas, and clicks of another release."""

    def __init__(self) -> None:
        record = json.loads(schema_text("clickstream"))
        extra = {"name": "not_ours", "type": ["null", "string", "double"], "default": None}
        record["fields"].insert(3, extra)
        self._other = prepare_writer(json.dumps(record))

    def find(self, schema_id: int) -> WriterSchema | None:
        return self._other if schema_id == _OTHER_RELEASE_ID else bundled_schemas().find(schema_id)


# Symbols, and a number of 32 bits: what is odd could not be written.
_ENUMS = ("kind", "channel", "severity", "satisfaction")
# By type.
_ODD: dict[type, tuple[Any, ...]] = {
    int: (-1, -(2**63), 2**63 - 1, 2**31),
    float: (float("nan"), float("inf"), -1e308),
    str: ("", " ", "x" * 5_000, "\0", "\u2028"),
}

Seed = tuple[str, bytes]


class Mutations:
    """Makes and judges mutated records; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._schemas = _Schemas()
        self._seeds = valid_records(seed)
        self._ways: Sequence[Callable[[bytearray], bytearray]] = (
            self._flip,
            self._cut_off,
            self._splice,
            self._other_id,
            self._overwrite,
            self._number,
            self._append,
        )
        self.fates: Counter[str] = Counter()

    def judge(self, count: int) -> None:
        """Mutate `count` records and count their fates; raises `Crash` at one that has none."""
        for _ in range(count):
            topic, valid = self._random.choice(self._seeds)
            payload = bytearray(valid)
            for _ in range(self._random.choice((1, 1, 2, 4))):
                payload = self._random.choice(self._ways)(payload)
            self.fates[fate(topic, bytes(payload), self._schemas)] += 1

    def _at(self, payload: bytearray) -> int:
        return self._random.randrange(len(payload)) if payload else 0

    def _flip(self, payload: bytearray) -> bytearray:
        if payload:
            payload[self._at(payload)] ^= 1 << self._random.randrange(8)
        return payload

    def _cut_off(self, payload: bytearray) -> bytearray:
        return payload[: self._at(payload)]

    def _splice(self, payload: bytearray) -> bytearray:
        _, other = self._random.choice(self._seeds)
        return payload[: self._at(payload)] + other[self._random.randrange(len(other)) :]

    def _other_id(self, payload: bytearray) -> bytearray:
        number = self._random.choice((*range(10), _OTHER_RELEASE_ID, 2**31, 2**32 - 1))
        return bytearray(b"\0" + number.to_bytes(4, "big")) + payload[_HEADER_BYTES:]

    def _overwrite(self, payload: bytearray) -> bytearray:
        at = self._at(payload)
        payload[at : at + self._random.randrange(1, 9)] = self._random.randbytes(
            self._random.randrange(9)
        )
        return payload

    def _number(self, payload: bytearray) -> bytearray:
        """Put a number of any size where perhaps a length or an enum's index stands."""
        at = self._at(payload)
        number = self._random.randrange(-(2 ** self._random.randrange(1, 64)), 2**63)
        payload[at : at + 1] = write_long(number >> self._random.randrange(60))
        return payload

    def _append(self, payload: bytearray) -> bytearray:
        return payload + self._random.randbytes(self._random.randrange(1, 40))


def valid_records(seed: int) -> list[Seed]:
    """Return framed records of every input topic: the examples, and some traffic."""
    records = [
        (topic.name, encode_event(topic.name, value))
        for topic in INPUTS
        for value in accepted_examples(topic.name).values()
    ]
    traffic = Traffic(50, _SEEN_AT_MS - 86_400_000, _SEEN_AT_MS, seed)
    sent = list(traffic.events(_TRAFFIC))
    records += [(each.topic, each.encoded()) for each in sent]
    return records + [(each.topic, each.encoded()) for each in sent if _made_odd(each.value, seed)]


def _made_odd(value: dict[str, Any], seed: int) -> bool:
    """Put something into a field that its type allows and an event does not."""
    chance = random.Random(f"{seed}/{value['event_id']}")
    name = chance.choice(sorted(value))
    for kind, odd in _ODD.items():
        if isinstance(value[name], kind) and name not in _ENUMS:
            value[name] = chance.choice(odd)
            return True
    return False


def fate(topic: str, payload: bytes, schemas: _Schemas) -> str:
    """Return the reason code for which a record is refused, or that it is accepted.

    Raises `Crash` when it is neither, or when what was accepted cannot travel on.
    """
    origin = Origin(topic, 0, 0, _SEEN_AT_MS)
    try:
        outcome = admit(topic, payload, origin, schemas)
        if isinstance(outcome, Rejection):
            if outcome.reason not in REASONS or not 0 < len(outcome.detail) <= _LONGEST_DETAIL:
                raise Crash(f"{topic}: an undeclared refusal {outcome} of {payload.hex()}")
            return outcome.reason
        if TIMELINE_DECODER.decode(ENCODER.encode(outcome)) != outcome:
            raise Crash(f"{topic}: admitted, and changed on the timeline: {payload.hex()}")
    except Exception as error:
        if isinstance(error, Crash):
            raise
        raise Crash(f"{topic}: {type(error).__name__}: {error}: {payload.hex()}") from error
    return ACCEPTED
