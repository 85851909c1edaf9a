"""The records that cross topics, as plain typed values; their symbols are in `schemas.symbols`.

Public topics carry Avro, which `schemas.wire` turns into these structs and back. The timeline and
lessons are read by us alone and travel as MessagePack of the same structs (`array_like`, so a
field may only ever be *appended*, with a default).

Times are UTC epoch milliseconds, money is integer minor units of `currency`.

`gc=False`: a record never holds itself, so the cycle collector need not walk it.
"""

from __future__ import annotations

import msgspec

from schemas.decisions import Challenge as Challenge
from schemas.decisions import Decision as Decision
from schemas.decisions import NextBestAction as NextBestAction
from schemas.decisions import Trigger as Trigger


class Origin(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Where a record came from, and when it arrived there; `stale`: too late to be answered.

    `late_ms` is how long after it was done an event was admitted, 0 where the time is simulated.
    """

    topic: str
    partition: int
    offset: int
    seen_at_ms: int
    stale: bool = False
    late_ms: int = 0


class Event(msgspec.Struct, array_like=True, kw_only=True, gc=False):
    """The fields of every customer event; `at_ms` is when it happened, not when it arrived."""

    event_id: str
    customer: str
    at_ms: int
    origin: Origin
    kind: str


class Click(Event, tag="click", kw_only=True, gc=False):
    """A clickstream event; `kind` is one of `CLICK_KINDS`."""

    product: str | None = None
    family: str | None = None
    channel: str = "other"
    device: str | None = None
    place: str | None = None
    session: str | None = None
    dwell_ms: int = 0
    price_minor: int = 0
    quantity: float | None = None


class OrderLine(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One product of an order; `quantity` is positive for refunds and returns too."""

    product: str
    family: str | None
    quantity: float
    unit_price_minor: int
    discount_minor: int = 0


class Purchase(Event, tag="purchase", kw_only=True, gc=False):
    """An order, refund, return or subscription change; `kind` is one of `PURCHASE_KINDS`."""

    order_id: str
    currency: str
    lines: list[OrderLine]
    channel: str = "other"


class Support(Event, tag="support", kw_only=True, gc=False):
    """A step in the life of a support ticket; `kind` is one of `SUPPORT_KINDS`."""

    ticket_id: str
    topic: str | None = None
    severity: str = "normal"
    product: str | None = None
    family: str | None = None
    satisfaction: int | None = None
    channel: str = "other"


class Profile(Event, tag="profile", kw_only=True, gc=False):
    """A statement of the customer; `kind` is one of `PROFILE_KINDS`.

    `subject` names the family, question, goal or attribute; `value` is the answer;
    `weight` is in -1..1 for a preference (dislike .. like).
    """

    subject: str | None = None
    value: str | None = None
    weight: float | None = None
    purpose: str | None = None
    granted: bool | None = None
    time_zone: str | None = None
    quiet_from_minute: int | None = None
    quiet_until_minute: int | None = None
    channel: str | None = None


class Outcome(Event, tag="outcome", kw_only=True, gc=False):
    """What became of a published action; `kind` is one of `OUTCOME_KINDS`."""

    decision_id: str
    channel: str = "other"
    reason: str | None = None
    value_minor: int = 0


class Tick(msgspec.Struct, array_like=True, tag="tick"):
    """The time, as data: every timer due at or before `at_ms` fires."""

    at_ms: int


# Kinds of a `Switch`.
CATALOGUE = "catalogue"
MODEL = "model"


class Switch(msgspec.Struct, array_like=True, tag="switch"):
    """From this offset on, `version` of the artefact is the one in use.

    `kind` is `CATALOGUE` (the name is `CATALOGUE`, too) or `MODEL` (the name is the model's).
    """

    kind: str
    name: str
    version: str


CustomerEvent = Click | Purchase | Support | Profile | Outcome
TimelineRecord = CustomerEvent | Tick | Switch


class LessonPlace(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Which tick settled a lesson, for which customer (a hash): its order within a partition."""

    partition: int
    offset: int
    customer: int


class Lesson(msgspec.Struct, array_like=True, kw_only=True, gc=False):
    """One settled decision: the features as they were when it was made, and the label.

    `label` is 1.0 if the action's reward arrived inside its attribution window, else 0.0.
    `converted` says whether there was an order of the family (of anything, without one) inside the
    window, and `spent_minor` its amount in `currency` ("" for none): every `arm` can have these. No
    model learns from actions that the control group did not get (`published` is false). `first`
    says of what this was the customer's first decision (`FIRST_OF_*` added up): only such are
    compared between arms. `features` is the customer's columns followed by the action's columns. A
    crash may repeat lessons of a timeline partition, in the same order: `place` lets the learner
    recognise them.
    """

    model: str
    action: str
    family: str | None
    issue: str
    decision_id: str
    feature_version: str
    features: list[float]
    label: float
    action_probability: float
    decided_at_ms: int
    settled_at_ms: int
    place: LessonPlace | None = None
    arm: str = "treated"
    published: bool = True
    converted: bool = False
    spent_minor: int = 0
    first: int = 0
    currency: str = ""

    @property
    def order(self) -> tuple[int, int, int, str]:
        """The position of the lesson among those of its timeline partition."""
        place = self.place or LessonPlace(0, -1, 0)
        return place.offset, place.customer, self.settled_at_ms, self.decision_id


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """Why bad input was refused: a code of `schemas.reasons` and a sentence for people."""

    reason: str
    detail: str


TIMELINE_DECODER: msgspec.msgpack.Decoder[TimelineRecord] = msgspec.msgpack.Decoder(TimelineRecord)
LESSON_DECODER = msgspec.msgpack.Decoder(Lesson)
ENCODER = msgspec.msgpack.Encoder()
