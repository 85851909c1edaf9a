"""What makes a decision due: a customer at a moment, at a place of the timeline."""

from __future__ import annotations

from typing import NamedTuple

from schemas.records import CustomerEvent, Trigger
from streams.core.hashing import decision_id
from streams.core.state.customer import CustomerState


class Slate(NamedTuple):
    """A position in a placement that shows several actions, and what the earlier positions show.

    `first_id` is the decision of position 1, None there and for an action alone.
    """

    position: int = 1
    first_id: str | None = None
    actions: tuple[str, ...] = ()
    families: tuple[str, ...] = ()


ALONE = Slate()


class DecisionDue(NamedTuple):
    """A customer with a moment that has to be decided, with its partition and offset.

    `late_ms` is the least time between the event and its answer. `channel` is where the customer
    is, according to the event; "other" for a timer or an event without a channel. `out_of_order`:
    much newer events were processed before this one, so only service answers it, at the time
    (`at_ms`) of what is known by now.
    """

    customer: str
    state: CustomerState
    moment: str
    at_ms: int
    partition: int
    offset: int
    trigger: Trigger
    slate: Slate = ALONE
    late_ms: int = 0
    channel: str = "other"
    out_of_order: bool = False

    @property
    def decision_id(self) -> str:
        """The id that a replay repeats and no other place of the timeline can have."""
        place = f"{self.partition}/{self.offset}/{self.at_ms}"
        if self.slate.position > 1:
            place += f"/{self.slate.position}"
        return decision_id(self.customer, self.moment, place)


def trigger_of(event: CustomerEvent) -> Trigger:
    """Return what an event that makes a decision due is quoted as."""
    origin = event.origin
    return Trigger(
        id=event.event_id,
        topic=origin.topic,
        partition=origin.partition,
        offset=origin.offset,
        seen_at_ms=origin.seen_at_ms,
    )
