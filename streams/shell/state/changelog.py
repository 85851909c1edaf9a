"""Read a changelog to its end: the newest encoded state of each key, without its stamp.

No consumer group and no Faust are involved. It blocks: run it in a thread.
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

    Raises ValueError if a record has no stamp: another program wrote it.
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
    """Keep a changelog record, with its stamp, unless its key already has a newer one."""
    name = key.decode()
    if value is None:
        states.pop(name, None)
        return
    stamp_of_value = stamp.read(value)
    held = states.setdefault(name, value)
    # Most keys of a compacted topic occur once, and then no stamp is compared.
    if held is not value and stamp.read(held) <= stamp_of_value:
        states[name] = value


def without_stamps(states: dict[str, bytes]) -> None:
    """Remove the stamps in place: memory has no room for a second million of values."""
    for name, value in states.items():
        states[name] = value[stamp.SIZE :]
