"""The state of one timeline partition: each customer's state, as bytes until its first use.

In: recovered bytes and changed states. Out: at a cut, the bytes of all changes not yet durable. A
`StateCodec` turns states into bytes and back. Changed states stay decoded; the others are stored as
the bytes of the changelog, which take a fraction of the memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from streams.core.state.codec import PARTITION_KEY, decode_value, encode_value
from streams.core.state.partition import PartitionState


@dataclass(frozen=True)
class StateCodec:
    """How values become bytes and back, by key; `decode` raises ValueError for foreign bytes."""

    encode: Callable[[str, Any], bytes] = encode_value
    decode: Callable[[str, bytes], Any] = decode_value
    new_partition: Callable[[], Any] = PartitionState


class PartitionStore:
    """A `streams.core.state.store.StateStore` whose changes are collected until the next cut."""

    def __init__(self, codec: StateCodec) -> None:
        self._codec = codec
        self._cold: dict[str, bytes] = {}
        self._hot: dict[str, Any] = {}
        # In the order of their changes: a state that changed long ago is the least likely to change
        # again.
        self._dirty: dict[str, None] = {}
        # Encoded since the last cut; outdated if the customer is in `_dirty` again.
        self._ahead: dict[str, bytes] = {}
        self._whole: Any = None
        self._whole_dirty = False
        # Cut, but not yet known to be durable: offered again by the next cut.
        self._unwritten: dict[str, bytes] = {}
        self._customers = 0

    def load(self, states: dict[str, bytes]) -> None:
        """Use recovered values (payloads without stamps); the dict belongs to the store then."""
        self._cold = states
        self._customers = len(self._cold) - (PARTITION_KEY in self._cold)

    def raw_items(self) -> Iterator[tuple[str, bytes]]:
        """Yield (customer, encoded state) of all customers, as recovered or last cut."""
        return ((key, data) for key, data in self._cold.items() if key != PARTITION_KEY)

    def __len__(self) -> int:
        return self._customers

    def get(self, customer: str) -> Any:
        """Return the customer's state, or None for an unknown customer."""
        state = self._hot.get(customer)
        if state is None:
            data = self._cold.get(customer)
            if data is None:
                return None
            state = self._hot[customer] = self._codec.decode(customer, data)
        return state

    def put(self, customer: str, state: Any) -> None:
        """Keep the state and mark it as changed since the last checkpoint."""
        if customer not in self._hot and customer not in self._cold:
            self._customers += 1
        self._hot[customer] = state
        self._dirty.pop(customer, None)
        self._dirty[customer] = None

    def partition_state(self) -> Any:
        """Return the partition's own state (versions in use, budgets)."""
        if self._whole is None:
            data = self._cold.get(PARTITION_KEY)
            if data is None:
                self._whole = self._codec.new_partition()
            else:
                self._whole = self._codec.decode(PARTITION_KEY, data)
        return self._whole

    def put_partition_state(self, state: Any) -> None:
        """Keep the partition's own state and mark it as changed."""
        self._whole = state
        self._whole_dirty = True

    def encode_ahead(self, most: int) -> int:
        """Encode up to `most` changed values before the cut; return how many are left."""
        for customer in list(islice(self._dirty, most)):
            self._ahead[customer] = self._codec.encode(customer, self._hot[customer])
            # Not before: a state that cannot be encoded must make the cut fail, too.
            del self._dirty[customer]
        return len(self._dirty)

    def cut(self, hot_limit: float = math.inf) -> dict[str, bytes]:
        """Encode the remaining changes; return all that is not known to be durable.

        Where more than `hot_limit` customers are decoded, only those that changed stay so.
        The partition's own state is written the first time in any case: a partition whose
        offsets are committed must never have an empty changelog, which is how recovery tells a
        lost changelog from a new one.
        """
        if PARTITION_KEY not in self._cold:
            self.partition_state()
            self._whole_dirty = True
        whole: dict[str, bytes] = {}
        if self._whole_dirty and self._whole is not None:
            whole[PARTITION_KEY] = self._codec.encode(PARTITION_KEY, self._whole)
        self.encode_ahead(len(self._dirty))
        # The partition's own state comes first, so that it is durable whenever a customer of this
        # cut is: the counts of a budget must not be behind the decisions. It also comes before the
        # customers of an earlier, refused cut, since they may have changed again.
        self._unwritten = whole | self._unwritten | whole | self._ahead
        self._cold.update(whole)
        self._cold.update(self._ahead)
        if len(self._hot) > hot_limit:
            self._hot = {customer: self._hot[customer] for customer in self._ahead}
        self._ahead = {}
        self._whole_dirty = False
        return self._unwritten

    def written(self, values: dict[str, bytes]) -> None:
        """Forget what the last cut returned: it is durable. Older cuts are ignored."""
        if self._unwritten is values:
            self._unwritten = {}
