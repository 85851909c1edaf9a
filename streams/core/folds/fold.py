"""Folding: how each kind of event changes a customer's state.

One table names the fold of every event type. Maxima and latest-wins maps do not depend on the order
of arrival, and sums only behind their fifth digit, so late events count like punctual ones. What
does: which entry a full map drops, and carts and timers within the lateness of an event.
"""

from __future__ import annotations

from collections.abc import Callable

from schemas.records import Click, CustomerEvent, Origin, Outcome, Profile, Purchase, Support
from streams.core.catalogue.values import Timers
from streams.core.folds.clicks import fold_click
from streams.core.folds.closed_channels import channel_setting
from streams.core.folds.outcomes import fold_outcome, unsubscribe
from streams.core.folds.profile import (
    consent,
    contact_setting,
    erase,
    fold_profile,
    preference,
)
from streams.core.folds.purchases import fold_purchase
from streams.core.folds.support import fold_support
from streams.core.hashing import SHORT_HASH_BYTES, short_hash
from streams.core.state.counted_ids import PURCHASES, is_known, kind_of, remember_id
from streams.core.state.customer import CustomerState
from streams.core.state.decay import landmark_weights
from streams.core.state.event_ids import event_id_hash, is_among, source_of
from streams.core.state.layout import HEAD, MAX_RECENT_IDS, MAX_WATERMARKS

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

    "replayed": the same source record was applied before (offsets of a source partition only grow).
    "duplicate": another source record carried the same event id, among those that are remembered
    (see `streams.core.state.counted_ids`), or the same order under another id, among the last few.
    "erased": it happened before the customer asked us to forget.
    """
    origin = event.origin
    if state.watermarks.get(source_of(origin.topic, origin.partition), -1) >= origin.offset:
        return "replayed"
    # An older release kept the ids of all kinds here.
    if is_among(event_id_hash(origin.topic, event.event_id), state.recent_ids):
        return "duplicate"
    kind = kind_of(event)
    if kind is not None and is_known(state, kind, event):
        return "duplicate"
    if kind == PURCHASES and is_among(_known_as_order(event), state.recent_ids):
        return "duplicate"
    if event.at_ms <= state.head[_ERASED]:
        return "erased"
    return None


def record_origin(state: CustomerState, origin: Origin) -> None:
    """Raise the watermark of a record's source, whether or not the record counted."""
    source = source_of(origin.topic, origin.partition)
    # Inserted again, so that the first of the map is the source without an event for the longest.
    highest = max(state.watermarks.pop(source, -1), origin.offset)
    if len(state.watermarks) >= MAX_WATERMARKS:
        del state.watermarks[next(iter(state.watermarks))]
    state.watermarks[source] = highest


def record_duplicate(state: CustomerState, event: CustomerEvent) -> None:
    """Remember the record of an event that counted before, and its id if that was another one.

    So that its own replay is known even after the id is no longer remembered.
    """
    record_origin(state, event.origin)
    if isinstance(event, Purchase) and not is_known(state, PURCHASES, event):
        remember_id(state, PURCHASES, event)


def keep_refusal(state: CustomerState, event: CustomerEvent) -> None:
    """Keep an opt-out from before an erasure that arrives after it; nothing of other events.

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
    """Apply an opt-out whose event id was used before; nothing of other events.

    A sender that gives one id to all outcomes of a decision, or to all profile events of a
    customer, must not lose an opt-out by it. A real repeat changes nothing, because it is no newer
    than what is stored. `Segment` handles a reject or an objection, because it knows the
    suppressions.
    """
    at_ms = event.at_ms
    if at_ms <= state.head[_ERASED]:
        return
    if isinstance(event, Profile) and (keep := _NOES_OF_PROFILE.get(event.kind)) is not None:
        keep(state, event)
    elif event.kind == "consent" or at_ms >= state.head[_AGREED_MS]:
        # Consent to marketing that is newer may have opened the channel again.
        keep_refusal(state, event)


def _erasure(state: CustomerState, event: Profile) -> None:
    erase(state, event.at_ms)


def _dislike(state: CustomerState, event: Profile) -> None:
    if event.weight is not None and event.weight < 0.0:
        preference(state, event)


def _quiet_hours(state: CustomerState, event: Profile) -> None:
    if event.quiet_from_minute is not None and event.quiet_until_minute is not None:
        contact_setting(state, event)


_NOES_OF_PROFILE: dict[str, Callable[[CustomerState, Profile], None]] = {
    "erasure": _erasure,
    "preference": _dislike,
    "contact_setting": _quiet_hours,
}


def fold(state: CustomerState, event: CustomerEvent, timers: Timers) -> None:
    """Apply a new event to the state (in place)."""
    record_origin(state, event.origin)
    _remember(state, event)
    head, at_ms = state.head, event.at_ms
    if at_ms > head[_NEWEST]:
        head[_NEWEST] = at_ms
    if not 0 < head[_FIRST_SEEN] <= at_ms:
        head[_FIRST_SEEN] = at_ms
    weights = landmark_weights(head, state.families.values(), at_ms)
    _FOLDS[type(event)](state, event, weights, timers)


def _remember(state: CustomerState, event: CustomerEvent) -> None:
    kind = kind_of(event)
    if kind is None:
        known = event_id_hash(event.origin.topic, event.event_id)
    else:
        remember_id(state, kind, event)
        if kind != PURCHASES:
            return
        known = _known_as_order(event)
    state.recent_ids = (state.recent_ids + known)[-_RECENT_BYTES:]


def _known_as_order(event: CustomerEvent) -> bytes:
    """Return what an order is known by if another event tells of it: its id and what was in it.

    Not by its id alone: a shop may send one event for each line of an order, and means all of them.
    Of other purchases the event's own id counts: an order may be given back in equal parts.
    """
    if not isinstance(event, Purchase) or event.kind != "order":
        return event_id_hash(event.origin.topic, event.event_id)
    lines = sorted((line.product, line.quantity) for line in event.lines)
    return short_hash(f"order/{event.order_id}/{event.currency}/{lines}")
