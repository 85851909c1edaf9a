"""The stored state of one customer.

The numbers are rows laid out in `streams.core.state.layout`; the rest are small bounded maps.
Nothing here decides anything: `fold` writes, `features` reads, `codec` stores.
"""

from __future__ import annotations

from array import array

import msgspec

from schemas.symbols import ARMS
from streams.core.state.baskets import CartItem, Habit, Subscription
from streams.core.state.event_ids import Source
from streams.core.state.layout import FAMILY_WIDTH, HEAD, HEAD_WIDTH, LASTING_ANSWERS


class Ticket(msgspec.Struct, array_like=True, gc=False):
    """A support ticket at its latest event; `severity` is its index in `SEVERITIES`.

    `is_open` is what its latest opening or closing event says; whether it still counts as open is
    decided in `streams.core.state.open_tickets`. `heard_ms` is the latest event about it except
    ratings. `topic` and `product` are the desk's.
    """

    opened_at_ms: int
    changed_at_ms: int
    is_open: bool
    severity: int
    family: str | None
    heard_ms: int = 0
    topic: str | None = None
    product: str | None = None


class StatedValue(msgspec.Struct, array_like=True, gc=False):
    """A statement of the customer; the latest by event time counts."""

    at_ms: int
    weight: float
    value: str | None


def lasts(subject: str, stated: StatedValue) -> bool:
    """Return whether a statement is among the last to be dropped when there are too many.

    So are the answers that messages greet with, and dislikes: if a dislike were dropped, the
    customer would get again what they did not want.
    """
    return subject in LASTING_ANSWERS or stated.weight < 0


class SuppressionCount(msgspec.Struct, array_like=True, gc=False):
    """Answers of one kind to an action or family: how many in a row; suppressed until when."""

    count: int
    until_ms: int


class CreditedOrder(msgspec.Struct, array_like=True, gc=False):
    """An order that was credited to a pending decision, and what came back of it since.

    `order` is a hash of its id; money (in `currency`) and units are of the lines that the decision
    is about. `whole`: that was all of the order. `counted`: its money is in the decision's
    `spent_minor`, which adds up one currency only. `rewards`: it is what the reward asks for. A
    shop may report a parcel that came back and the money for it as two events, so the two are kept
    apart and the larger one counts.
    """

    order: int
    spent_minor: int
    units: float
    currency: str
    whole: bool
    counted: bool
    rewards: bool
    returned_minor: int = 0
    returned_units: float = 0.0
    refunded_minor: int = 0


# What no return undoes: a reward by an outcome, and orders that are not listed any more.
LASTING_REWARD, LASTING_CONVERSION = 1, 2


class Pending(msgspec.Struct, array_like=True, gc=False):
    """A decision whose attribution window has not ended, published or (held out) not.

    `features` is the model's input as float32 bytes, as it was at decision time. `arm` is its index
    in `ARMS`. `converted` and `spent_minor` count orders within the window, which every arm can
    have (and subscriptions, if `subscription` says that the reward names them); `rewarded` counts
    what the action's reward asks for. `first` is that of `streams.core.state.enrolment`, `currency`
    that of `spent_minor` ("" for nothing spent). `service` marks a message that was owed. `orders`
    are the latest that were credited, `lasting` is the sum of `LASTING_*` that no return removes.
    """

    decision_id: str
    model: str
    action: str
    family: str | None
    issue: str
    channel: str
    decided_at_ms: int
    window_end_ms: int
    settle_at_ms: int
    outcomes: list[str]
    family_purchase: bool
    action_probability: float
    feature_version: str
    features: bytes
    rewarded: bool = False
    arm: int = len(ARMS) - 1
    published: bool = True
    converted: bool = False
    spent_minor: int = 0
    first: int = 0
    currency: str = ""
    subscription: bool = False
    service: bool = False
    orders: list[CreditedOrder] = []
    lasting: int = 0


class CustomerState:
    """One customer's rolling state. A fresh one is a person we know nothing about."""

    __slots__ = (
        "answers",
        "applied_offset",
        "cart",
        "contacts",
        "enrolled",
        "families",
        "head",
        "known_ids",
        "pending",
        "preferences",
        "products",
        "recent_ids",
        "resubscribed",
        "subscriptions",
        "suppression_counts",
        "tickets",
        "time_zone",
        "unsubscribed",
        "watermarks",
    )

    def __init__(self) -> None:
        self.applied_offset = -1
        self.head: array[float] = array("d", bytes(8 * HEAD_WIDTH))
        self.families: dict[str, array[float]] = {}
        self.contacts: array[float] = array("d")
        self.recent_ids = b""
        # By kind of event, see `streams.core.state.counted_ids`.
        self.known_ids: dict[int, bytes] = {}
        self.watermarks: dict[Source, int] = {}
        self.products: dict[str, Habit] = {}
        self.cart: dict[str, CartItem] = {}
        # By a hash of the subscription's id.
        self.subscriptions: dict[int, Subscription] = {}
        self.tickets: dict[str, Ticket] = {}
        self.preferences: dict[str, StatedValue] = {}
        self.answers: dict[str, StatedValue] = {}
        self.unsubscribed: dict[str, int] = {}
        self.resubscribed: dict[str, int] = {}
        self.time_zone: str | None = None
        self.pending: list[Pending] = []
        self.suppression_counts: dict[int, SuppressionCount] = {}
        self.enrolled = 0

    def number(self, name: str) -> float:
        """Return one number of the head by its declared name."""
        return self.head[HEAD[name]]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CustomerState):
            return NotImplemented
        return all(getattr(self, slot) == getattr(other, slot) for slot in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # mutable, so it must not be a key


def new_family() -> array[float]:
    """Return the row of a family nothing is known about."""
    return array("d", bytes(8 * FAMILY_WIDTH))
