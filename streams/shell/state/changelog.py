"""Read compacted topics to their end, without a group and outside of Faust.

Blocking: run it in a thread. Values stay bytes.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from streams.shell.kafka.topic_reader import read_to_end
from streams.shell.state import stamp


def newest_states(
    client: Mapping[str, Any],
    topic: str,
    partitions: Sequence[int],
    give_up: threading.Event,
) -> dict[int, dict[str, bytes]]:
    """Return every key's newest payload, per partition: the one with the highest stamp.

    ValueError where a record carries no stamp: the topic is not a changelog of ours.
    """
    found: dict[int, dict[str, bytes]] = {number: {} for number in partitions}
    for messages in read_to_end(client, topic, partitions, give_up):
        for message in messages:
            number = message.partition()
            if number is not None:
                keep_newest(found[number], message.key() or b"", message.value())
    for states in found.values():
        without_stamps(states)
    return found


def keep_newest(states: dict[str, bytes], key: bytes, value: bytes | None) -> None:
    """Take over a changelog record, stamp and all, unless it is older than what its key has."""
    name = key.decode()
    if value is None:
        states.pop(name, None)
        return
    of_value = stamp.read(value)
    held = states.setdefault(name, value)
    # Most keys of a compacted topic come once.
    if held is not value and stamp.read(held) <= of_value:
        states[name] = value


def without_stamps(states: dict[str, bytes]) -> None:
    """Leave only the payloads, one by one: a second million of values would not fit beside."""
    for name, value in states.items():
        states[name] = value[stamp.SIZE :]
