"""Folding: how each kind of event changes a customer's state.

One table names the fold of every event type. Maxima and latest-wins maps do not depend on the order
of arrival, and sums only behind their fifth digit, so late events count like punctual ones. What
does: which entry a full map drops, and carts and timers within the lateness of an event.
"""

from __future__ import annotations

from collections.abc import Callable

from schemas.records import Click, CustomerEvent, Origin, Outcome, Profile, Purchase, Support
from streams.core.catalogue import Timers
from streams.core.chance import SHORT_HASH_BYTES
from streams.core.decay import landmark_weights
from streams.core.folds.channels import channel_setting
from streams.core.folds.clicks import fold_click
from streams.core.folds.outcomes import fold_outcome, unsubscribe
from streams.core.folds.profile import consent, erase, fold_profile
from streams.core.folds.purchases import fold_purchase
from streams.core.folds.support import fold_support
from streams.core.layout import HEAD, MAX_RECENT_IDS, MAX_WATERMARKS
from streams.core.sources import is_among, known_as, source_of
from streams.core.state import CustomerState

_NEWEST, _FIRST_SEEN, _ERASED = HEAD["newest_event_ms"], HEAD["first_seen_ms"], HEAD["erased_ms"]
_AGREED_MS = HEAD["consent_marketing_ms"]
_RECENT_BYTES = MAX_RECENT_IDS * SHORT_HASH_BYTES
_FOLDS: dict[type, Callable[..., None]] = {
    Click: fold_click,
    Purchase: fold_purchase,
    Support: fold_support,
    Profile: fold_profile,
    Outcome: fold_outcome,
}


def repeat_of(state: CustomerState, event: CustomerEvent) -> str | None:
    """Tell why an event must not count again, or None when it is new.

    "replayed": the same source record was applied before (offsets of a source partition only
    grow). "duplicate": another source record carried the same event id, among the last few.
    "erased": it happened before the customer asked us to forget.
    """
    origin = event.origin
    if state.watermarks.get(source_of(origin.topic, origin.partition), -1) >= origin.offset:
        return "replayed"
    if is_among(known_as(origin.topic, event.event_id), state.recent_ids):
        return "duplicate"
    if event.at_ms <= state.head[_ERASED]:
        return "erased"
    return None


def note_origin(state: CustomerState, origin: Origin) -> None:
    """Raise the watermark of a record's source, whether or not the record counted."""
    source = source_of(origin.topic, origin.partition)
    # Put in anew, so that the first of the map is the source that was silent the longest.
    highest = max(state.watermarks.pop(source, -1), origin.offset)
    if len(state.watermarks) >= MAX_WATERMARKS:
        del state.watermarks[next(iter(state.watermarks))]
    state.watermarks[source] = highest


def keep_refusal(state: CustomerState, event: CustomerEvent) -> None:
    """Keep a no from before an erasure that was heard of only behind it; nothing of other events.

    An erasure keeps every no it finds, and which came first on its way must not matter.
    """
    if isinstance(event, Outcome) and event.kind == "unsubscribe":
        unsubscribe(state, event)
    elif isinstance(event, Profile) and not event.granted:
        if event.kind == "consent":
            consent(state, event)
        elif event.kind == "channel_setting":
            channel_setting(state, event)


def keep_refusal_of_a_repeat(state: CustomerState, event: CustomerEvent) -> None:
    """Apply a no whose event id was used before; nothing of other events.

    A sender that gives one id to all outcomes of a decision, or to all consents of a customer,
    must not lose an unsubscribe by it. What is really sent again changes nothing: it is not newer
    than what is known.
    """
    at_ms = event.at_ms
    if at_ms <= state.head[_ERASED]:
        return
    if isinstance(event, Profile) and event.kind == "erasure":
        erase(state, at_ms)
    elif event.kind == "consent" or at_ms >= state.head[_AGREED_MS]:
        # A channel's no from before the latest word on marketing may have been opened by a yes.
        keep_refusal(state, event)


def fold(state: CustomerState, event: CustomerEvent, timers: Timers) -> None:
    """Apply a new event to the state (in place)."""
    note_origin(state, event.origin)
    ids = state.recent_ids + known_as(event.origin.topic, event.event_id)
    state.recent_ids = ids[-_RECENT_BYTES:]
    head, at_ms = state.head, event.at_ms
    if at_ms > head[_NEWEST]:
        head[_NEWEST] = at_ms
    if not 0 < head[_FIRST_SEEN] <= at_ms:
        head[_FIRST_SEEN] = at_ms
    weights = landmark_weights(head, state.families.values(), at_ms)
    _FOLDS[type(event)](state, event, weights, timers)
