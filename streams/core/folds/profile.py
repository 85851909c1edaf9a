"""Folding what the customer stated: preferences, answers, consent, erasure."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from schemas.records import Profile
from schemas.symbols import PURPOSES
from streams.core.catalogue.values import Timers
from streams.core.folds.closed_channels import channel_setting
from streams.core.folds.updates import (
    mark_seen,
    raise_latest,
)
from streams.core.state.customer import CustomerState, StatedValue, lasts
from streams.core.state.decay import Weights
from streams.core.state.layout import (
    HEAD,
    MAX_ANSWERS,
    MAX_NAME_BYTES,
    MAX_PREFERENCES,
    MAX_TEXT_BYTES,
)
from streams.core.state.text import (
    shortened,
)

_FORGOTTEN = (
    *("families", "contacts", "products", "cart", "subscriptions", "tickets", "preferences"),
    *("answers", "known_ids"),
)


def fold_profile(state: CustomerState, event: Profile, weights: Weights, timers: Timers) -> None:
    """Apply a profile event."""
    if event.kind == "erasure":
        erase(state, event.at_ms)
        return
    raise_latest(state.head, "told", event.at_ms)
    mark_seen(state, event.at_ms, timers)
    _PROFILE_FOLDS[event.kind](state, event)


def erase(state: CustomerState, at_ms: int) -> None:
    """Forget the person; keep what stops old records and unwanted messages from coming back."""
    blank = CustomerState()
    blank.head[HEAD["erased_ms"]] = at_ms
    for purpose in PURPOSES:
        slot = HEAD[f"consent_{purpose}"]
        if state.head[slot] < 0:
            # Without this, a purpose that is allowed until an opt-out would be allowed again.
            blank.head[slot : slot + 2] = state.head[slot : slot + 2]
    state.head = blank.head
    # The ids that counted go as well: what happened before is refused by its time from now on.
    for name in _FORGOTTEN:
        setattr(state, name, getattr(blank, name))
    # A yes is forgotten with the person; the channels that they closed stay closed.
    state.resubscribed = {}
    state.time_zone = None
    state.pending = []
    state.enrolled = 0
    # Only what they asked not to hear of again, or are spared: how often they ignored us is theirs.
    state.suppression_counts = {
        n: s for n, s in state.suppression_counts.items() if s.until_ms > at_ms
    }
    for count in state.suppression_counts.values():
        count.count = 0


def _signed_up(state: CustomerState, event: Profile) -> None:
    slot = HEAD["signed_up_ms"]
    if state.head[slot] == 0 or event.at_ms < state.head[slot]:
        state.head[slot] = event.at_ms


def _keep_stated(known: dict[str, StatedValue], event: Profile, most: int) -> None:
    subject = shortened(event.subject or "", MAX_NAME_BYTES)
    value = None if event.value is None else shortened(event.value, MAX_TEXT_BYTES)
    if subject in known:
        if event.at_ms < known[subject].at_ms:
            return
    elif len(known) >= most:
        del known[min(known, key=lambda s: (lasts(s, known[s]), known[s].at_ms, s))]
    known[subject] = StatedValue(event.at_ms, event.weight or 0.0, value)


def preference(state: CustomerState, event: Profile) -> None:
    """Keep the latest word on how much a subject is liked."""
    # How much it is liked is all that is asked of a preference; a text beside it is not kept.
    _keep_stated(state.preferences, msgspec.structs.replace(event, value=None), MAX_PREFERENCES)


def _answer(state: CustomerState, event: Profile) -> None:
    _keep_stated(state.answers, event, MAX_ANSWERS)


def contact_setting(state: CustomerState, event: Profile) -> None:
    """Keep the latest time zone and quiet hours."""
    head = state.head
    if event.at_ms < head[HEAD["contact_setting_ms"]]:
        return
    head[HEAD["contact_setting_ms"]] = event.at_ms
    if event.time_zone is not None:
        state.time_zone = event.time_zone
    if event.quiet_from_minute is not None and event.quiet_until_minute is not None:
        head[HEAD["quiet_from_minute"]] = event.quiet_from_minute
        head[HEAD["quiet_until_minute"]] = event.quiet_until_minute


def consent(state: CustomerState, event: Profile) -> None:
    """Apply the newest statement on one purpose; of two at the same time the opt-out counts."""
    slot = HEAD[f"consent_{event.purpose}"]
    if event.at_ms < state.head[slot + 1]:
        return
    if event.at_ms == state.head[slot + 1] and state.head[slot] < 0:
        # An opt-in and an opt-out at the same time are an opt-out, whichever arrives first.
        return
    # 1 given, -1 withdrawn, 0 never asked. The time is in the next slot.
    state.head[slot] = 1.0 if event.granted else -1.0
    state.head[slot + 1] = event.at_ms
    if event.purpose == "marketing" and event.granted:
        state.unsubscribed = {c: t for c, t in state.unsubscribed.items() if t >= event.at_ms}


_PROFILE_FOLDS: dict[str, Callable[[CustomerState, Profile], None]] = {
    "signed_up": _signed_up,
    "preference": preference,
    "survey_answer": _answer,
    "goal": _answer,
    "demographic": _answer,
    "contact_setting": contact_setting,
    "consent": consent,
    "channel_setting": channel_setting,
}
