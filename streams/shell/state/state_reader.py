"""Read the customers' states of assigned partitions back, in the one order that is safe.

In: the partitions that decide was assigned. Out: each key's newest encoded state, without stamps.
The changelog is checked before it is read, since a changelog that was cut would look like a small
one. The states are checked before they are used, since a state of another partition or of a newer
release would be overwritten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from streams.shell.kafka.topic_reader import in_thread
from streams.shell.state.changelog import newest_states
from streams.shell.state.state_checks import check_states, check_whole


class StateReader:
    """Reads a changelog whose timeline has `timeline_partitions` partitions.

    `on_read` is called with the number of states after each reading.
    """

    def __init__(
        self,
        client: Mapping[str, Any],
        changelog: str,
        timeline_partitions: int,
        on_read: Callable[[int], None] = lambda states: None,
    ) -> None:
        self._client = client
        self._changelog = changelog
        self._timeline_partitions = timeline_partitions
        self._on_read = on_read

    async def read(self, partitions: Sequence[int]) -> Mapping[int, dict[str, bytes]]:
        """Return the newest states by partition and key.

        Raises what `check_whole`, `newest_states` and `check_states` raise.
        """
        client, changelog = self._client, self._changelog
        await asyncio.to_thread(check_whole, client, changelog, partitions)
        states: Mapping[int, dict[str, bytes]] = await in_thread(
            partial(newest_states, client, changelog, partitions)
        )
        await asyncio.to_thread(check_states, states, self._timeline_partitions)
        self._on_read(sum(map(len, states.values())))
        return states
