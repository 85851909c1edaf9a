"""The bounds that input is held to: what no real event exceeds."""

from __future__ import annotations

from dataclasses import dataclass

DAY_MS = 24 * 60 * 60 * 1000

# Ids and texts, in characters.
MAX_ID_CHARS = 128
MAX_TEXT_CHARS = 256
# Ten billion minor units (a hundred million euros) still leaves sums of a million events exact
# in a double.
MAX_PRICE_MINOR = 10_000_000_000
MAX_QUANTITY = 1_000_000.0
# What is put into a cart: the state counts in thousandths.
MIN_QUANTITY = 0.001
MAX_LINES = 2_000
MAX_DWELL_MS = DAY_MS
LAST_MINUTE_OF_DAY = 24 * 60 - 1


@dataclass(frozen=True, slots=True)
class AdmitLimits:
    """What an installation may set.

    `oldest_event_ms`: the earliest believable event time; 2000-01-01 by default, which also
    catches seconds where milliseconds belong. `future_ms`: how far event time may lie after the
    record's arrival; such an event then counts as done on arrival. `max_value_bytes`: half of
    Kafka's own default limit, so that the event also fits the timeline, origin and all.
    """

    oldest_event_ms: int = 946_684_800_000
    future_ms: int = 5 * 60 * 1000
    max_value_bytes: int = 512 * 1024
