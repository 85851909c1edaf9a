"""What a customer closed and opened again: the latest word on each channel, by event time.

An opt-out arrives as an outcome (`unsubscribe`) or without a decision (`channel_setting`); an
opt-in as a `channel_setting`, or as consent to marketing, which opens every channel. If both have
the same time, the opt-out counts, so the order of arrival does not matter. A channel is in
`unsubscribed`, in `resubscribed`, or in neither if no event named it.
"""

from __future__ import annotations

from collections.abc import Iterable

from schemas.records import Profile
from streams.core.channels import REACHING_OUT
from streams.core.state.customer import CustomerState
from streams.core.state.layout import HEAD

_AGREED = HEAD["consent_marketing"]


def close(state: CustomerState, channels: Iterable[str], at_ms: int) -> None:
    """Close channels, but for those of which a later yes is known."""
    if state.head[_AGREED] > 0 and at_ms < state.head[_AGREED + 1]:
        return
    for channel in channels:
        if at_ms >= state.resubscribed.get(channel, at_ms):
            state.resubscribed.pop(channel, None)
            state.unsubscribed[channel] = max(state.unsubscribed.get(channel, 0), at_ms)


def channel_setting(state: CustomerState, event: Profile) -> None:
    """Close or open the channel of an event; an opt-out on `other` closes all that reach out."""
    channel, at_ms = event.channel or "other", event.at_ms
    if not event.granted:
        close(state, REACHING_OUT if channel == "other" else (channel,), at_ms)
        return
    if at_ms > state.unsubscribed.get(channel, 0):
        state.unsubscribed.pop(channel, None)
        state.resubscribed[channel] = max(state.resubscribed.get(channel, 0), at_ms)
