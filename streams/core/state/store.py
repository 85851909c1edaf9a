"""What the engine asks of the place that keeps state: two verbs, no storage.

The shell backs it with a Faust Table whose writes become changelog records at the next
checkpoint; tests back it with a dict.
"""

from __future__ import annotations

from typing import Protocol

from streams.core.state.customer import (
    CustomerState,
)
from streams.core.state.partition import (
    PartitionState,
)


class StateStore(Protocol):
    """The state of one timeline partition.

    A value that was put may go on being changed by the engine until the batch that put it ends;
    it must be put again in each batch that changes it.
    """

    def get(self, customer: str) -> CustomerState | None:
        """Return the customer's state, or None for an unknown customer."""

    def put(self, customer: str, state: CustomerState) -> None:
        """Keep the state and mark it as changed since the last checkpoint."""

    def partition_state(self) -> PartitionState:
        """Return what the partition as a whole remembers."""

    def put_partition_state(self, state: PartitionState) -> None:
        """Keep the partition's own state and mark it as changed."""
