"""What a customer's events are known by: their source partitions and their ids, in few bytes.

Every state holds several of both, so that nothing counts twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from streams.core.hashing import SHORT_HASH_BYTES, short_hash

# A source partition: a number where the topic's name is one of ours, else "topic/partition".
Source = int | str

# States hold places in this table: it may only be appended to, and a topic that is renamed must not
# take the place of the one before.
_OURS = ("clickstream", "purchases", "support", "profile", "outcomes")
# With this the numbers have room for five times as many of our topics.
_ROOM = 32
_SHORT = 256**SHORT_HASH_BYTES


@lru_cache(maxsize=4_096)
def source_of(topic: str, partition: int) -> Source:
    """Return what a source partition is known by.

    >>> source_of("purchases", 7), source_of("elsewhere.purchases", 7)
    (225, 'elsewhere.purchases/7')
    """
    if topic in _OURS:
        return partition * _ROOM + _OURS.index(topic)
    return f"{topic}/{partition}"


def source_named(name: str) -> Source:
    """Return what the source partition of a name ("topic/partition") is known by."""
    topic, _, partition = name.rpartition("/")
    return source_of(topic, int(partition))


def by_name(watermarks: Mapping[Source, int]) -> dict[str, int]:
    """Return watermarks by the names of their sources.

    >>> by_name({225: 3, "elsewhere.purchases/7": 4})
    {'purchases/7': 3, 'elsewhere.purchases/7': 4}
    """
    return {_name(source): offset for source, offset in watermarks.items()}


def _name(source: Source) -> str:
    if isinstance(source, str):
        return source
    partition, topic = divmod(source, _ROOM)
    return f"{_OURS[topic]}/{partition}"


# An event is asked for twice: whether it is new, and when it is folded, soon after.
@lru_cache(maxsize=64)
def event_id_hash(topic: str, event_id: str) -> bytes:
    """Return what an event is known by; its id is unique within its topic.

    >>> event_id_hash("purchases", "17") == event_id_hash("support", "17")
    False
    """
    return short_hash(f"{topic}/{event_id}")


def is_among(known: bytes, ids: bytes) -> bool:
    """Return whether an event is among those of a sequence of ids.

    >>> is_among(b"event2", b"event1event2"), is_among(b"event2", b"xevent2event1yyyyy")
    (True, False)
    """
    place = ids.find(known)
    while place % SHORT_HASH_BYTES and place >= 0:
        place = ids.find(known, place + 1)
    return place >= 0


def apart(ids: bytes) -> list[bytes]:
    """Return the ids of a sequence."""
    size = SHORT_HASH_BYTES
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def as_short(ids: Iterable[int]) -> bytes:
    """Return ids of 64 bits as they are kept today."""
    return b"".join((number % _SHORT).to_bytes(SHORT_HASH_BYTES, "little") for number in ids)
