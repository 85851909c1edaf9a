"""A state in which everything that has a bound has reached it."""

from __future__ import annotations

from array import array
from random import Random
from string import ascii_lowercase, digits

from schemas.symbols import CHANNELS
from streams.core.features.definitions import FEATURE_NAMES, FEATURE_VERSION
from streams.core.folds.contacts import record_contact
from streams.core.hashing import SHORT_HASH_BYTES
from streams.core.state.baskets import CartItem, Habit, Subscription
from streams.core.state.counted_ids import ID_BYTES, MOST_IDS, TIME_BYTES
from streams.core.state.customer import (
    CreditedOrder,
    CustomerState,
    Pending,
    StatedValue,
    SuppressionCount,
    Ticket,
    new_family,
)
from streams.core.state.decay import FAMILY_SUM_SLOTS, SUM_SLOTS, rounded
from streams.core.state.event_ids import source_of
from streams.core.state.layout import (
    ENROLLED_BITS,
    MAX_ANSWERS,
    MAX_CART_BYTES,
    MAX_CART_ITEMS,
    MAX_CONTACTS,
    MAX_CREDITED_ORDERS,
    MAX_FAMILIES,
    MAX_NAME_BYTES,
    MAX_PENDING,
    MAX_PREFERENCES,
    MAX_PRODUCTS,
    MAX_PRODUCTS_BYTES,
    MAX_RECENT_IDS,
    MAX_SUBSCRIPTIONS,
    MAX_SUPPRESSION_COUNTS,
    MAX_TEXT_BYTES,
    MAX_TICKETS,
    MAX_TOPIC_BYTES,
    MAX_WATERMARKS,
)
from streams.core.time_zones import ZONES

# Of decayed sums the lower half is zeros.
SUMMED = frozenset(slot for slots in SUM_SLOTS for slot in slots)
FAMILY_SUMMED = frozenset(slot for slots in FAMILY_SUM_SLOTS for slot in slots)


class Longest:
    """Texts, numbers and bytes of the greatest size that do not repeat, from one seed.

    What does not repeat does not compress, so a state of them is as large as a state can be.
    """

    def __init__(self, seed: int = 5) -> None:
        self._random = Random(seed)

    def text(self, most_bytes: int) -> str:
        """Return a text of so many bytes."""
        return "".join(self._random.choices(ascii_lowercase + digits, k=most_bytes))

    def name(self) -> str:
        """Return a name as long as one may be."""
        return self.text(MAX_NAME_BYTES)

    def at_ms(self) -> int:
        """Return a time of the years in which one takes the most bytes."""
        return self._random.randrange(2**40, 2**41)

    def number(self, bits: int) -> int:
        """Return a number of so many bits."""
        return self._random.getrandbits(bits) | 1 << (bits - 1)

    def raw(self, size: int) -> bytes:
        """Return bytes."""
        return self._random.randbytes(size)

    def products(self, most: int, most_bytes: int) -> list[str]:
        """Return so many product ids of so many bytes in all."""
        return [self.text(most_bytes // most) for _ in range(most)]


def full(seed: int = 5) -> CustomerState:
    """Return a state in which everything that has a bound has reached it."""
    of, state = Longest(seed), CustomerState()
    state.applied_offset = 2**53
    for slot in range(len(state.head)):
        state.head[slot] = rounded(float(of.at_ms())) if slot in SUMMED else float(of.at_ms())
    state.families = {of.name(): _full_family(of) for _ in range(MAX_FAMILIES)}
    for _ in range(MAX_CONTACTS):
        record_contact(state, of.at_ms(), of.name(), of.name(), of.name(), "sms", of.text(24))
    state.recent_ids = of.raw(SHORT_HASH_BYTES * MAX_RECENT_IDS)
    state.known_ids = {k: of.raw(TIME_BYTES + ID_BYTES * n) for k, n in MOST_IDS.items()}
    state.watermarks = {
        source_of("clickstream", 900 + n): of.at_ms() for n in range(MAX_WATERMARKS)
    }
    state.products = {
        product: Habit(
            days=of.number(16),
            last_day=of.number(15),
            family=of.number(32),
            weight=of.number(12),
            usual_milli=of.number(30),
            sure=3,
            last_milli=of.number(30),
        )
        for product in of.products(MAX_PRODUCTS, MAX_PRODUCTS_BYTES)
    }
    state.cart = {
        product: CartItem(of.number(32), of.number(30), of.at_ms(), of.number(30), of.number(30))
        for product in of.products(MAX_CART_ITEMS, MAX_CART_BYTES)
    }
    state.subscriptions = {
        of.number(32): Subscription(of.text(MAX_TEXT_BYTES), of.at_ms(), of.at_ms(), of.at_ms())
        for _ in range(MAX_SUBSCRIPTIONS)
    }
    state.tickets = {
        of.text(MAX_TEXT_BYTES): Ticket(
            opened_at_ms=of.at_ms(),
            changed_at_ms=of.at_ms(),
            is_open=True,
            severity=3,
            family=of.name(),
            heard_ms=of.at_ms(),
            topic=of.text(MAX_TOPIC_BYTES),
            product=of.text(MAX_TOPIC_BYTES),
        )
        for _ in range(MAX_TICKETS)
    }
    state.preferences = {
        of.name(): StatedValue(of.at_ms(), -1 / of.number(9), None) for _ in range(MAX_PREFERENCES)
    }
    state.answers = {
        of.name(): StatedValue(of.at_ms(), 0.0, of.text(MAX_TEXT_BYTES)) for _ in range(MAX_ANSWERS)
    }
    # A channel is closed or open again, and an opened one is stored with a minus.
    state.resubscribed = {channel: of.at_ms() for channel in CHANNELS}
    state.time_zone = max(ZONES, key=len)
    state.suppression_counts = {
        of.number(52): SuppressionCount(99, of.at_ms()) for _ in range(MAX_SUPPRESSION_COUNTS)
    }
    state.enrolled = of.number(ENROLLED_BITS)
    state.pending = [_full_pending(of) for _ in range(MAX_PENDING)]
    return state


def _full_family(of: Longest) -> array[float]:
    row = new_family()
    for slot in range(len(row)):
        row[slot] = rounded(float(of.at_ms())) if slot in FAMILY_SUMMED else float(of.at_ms())
    return row


def _full_features(of: Longest) -> bytes:
    """Return features that say as much as they can: a decision has one moment."""
    seen = bytearray(of.raw(4 * len(FEATURE_NAMES)))
    for place, name in enumerate(FEATURE_NAMES):
        if name.startswith("at_"):
            seen[4 * place : 4 * place + 4] = bytes(4)
    return bytes(seen)


def _full_pending(of: Longest) -> Pending:
    return Pending(
        decision_id=of.raw(12).hex(),
        model=of.name(),
        action=of.name(),
        family=of.name(),
        issue=of.name(),
        channel="call_center",
        decided_at_ms=of.at_ms(),
        window_end_ms=of.at_ms(),
        settle_at_ms=of.at_ms(),
        outcomes=["accept", "click", "delivered", "impression"],
        family_purchase=True,
        action_probability=1 / of.number(20),
        feature_version=FEATURE_VERSION,
        features=_full_features(of),
        rewarded=True,
        arm=2,
        published=False,
        converted=True,
        spent_minor=of.at_ms(),
        first=7,
        currency="EUR",
        subscription=True,
        service=True,
        orders=[_full_order(of) for _ in range(MAX_CREDITED_ORDERS)],
        lasting=3,
    )


def _full_order(of: Longest) -> CreditedOrder:
    return CreditedOrder(
        order=of.number(64),
        spent_minor=of.at_ms(),
        units=1e6 / of.number(20),
        currency="EUR",
        whole=True,
        counted=True,
        rewards=True,
        returned_minor=of.at_ms(),
        returned_units=1e6 / of.number(20),
        refunded_minor=of.at_ms(),
    )
