"""Contact policy: how often, through which channel, and when to leave somebody alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from schemas.symbols import CHANNELS
from streams.core.catalogue import ContactLimit, Treatment
from streams.core.chance import name_number
from streams.core.channels import REACHING_OUT
from streams.core.funnel import Funnel
from streams.core.layout import CONTACT, CONTACT_WIDTH, HEAD, MAX_CONTACTS, MAX_PENDING
from streams.core.state import CustomerState
from streams.core.wave import Floats, Wave
from streams.core.zones import zone

NO_TREATMENT = -1
NO_CHANNEL = len(CHANNELS)
_ALL_OPEN = [True] * len(CHANNELS) + [False]
_SLOT_OF_SCOPE = {"issue": "issue", "family": "family", "action": "action"}


def consented(wave: Wave, purpose: str, consent: str) -> NDArray[np.bool_]:
    """Tell who may be served for a purpose, shape (n,): opt_in needs a yes, opt_out no no.

    Service is owed to everybody and asks for no consent.
    """
    if purpose == "service":
        return np.ones(len(wave), bool)
    given = wave.number(f"consent_{purpose}")
    return given > 0 if consent == "opt_in" else given >= 0


def channel_numbers(treatments: Sequence[Sequence[Treatment]]) -> NDArray[np.intp]:
    """Return the place in `CHANNELS` of each action's treatments, (a, most + 1).

    Rows are filled up with `NO_CHANNEL`; the last column is always that.
    """
    numbers = np.full((len(treatments), max(map(len, treatments)) + 1), NO_CHANNEL, np.intp)
    for action, options in enumerate(treatments):
        for place, treatment in enumerate(options):
            numbers[action, place] = CHANNELS.index(treatment.channel)
    return numbers


def choose_treatments(wave: Wave, channels: NDArray[np.intp]) -> NDArray[np.intp]:
    """Choose the first treatment of each action whose channel is open, shape (n, a).

    `channels` is what `channel_numbers` returned. A channel is closed to whoever unsubscribed
    from it, and one that reaches out is closed during the customer's quiet hours.
    `NO_TREATMENT` where none is open.
    """
    is_open = np.array(
        [_open_channels(s, int(t)) for s, t in zip(wave.states, wave.at_ms, strict=True)]
    )
    usable = is_open[:, channels]
    return np.where(usable.any(axis=2), usable.argmax(axis=2), NO_TREATMENT)


def _open_channels(state: CustomerState, at_ms: int) -> list[bool]:
    """Tell per channel, and last for `NO_CHANNEL`, whether it may be used."""
    quiet = in_quiet_hours(state, at_ms)
    if not quiet and not state.unsubscribed:
        return _ALL_OPEN
    return [
        channel not in state.unsubscribed and not (quiet and channel in REACHING_OUT)
        for channel in CHANNELS
    ] + [False]


def in_quiet_hours(state: CustomerState, at_ms: int) -> bool:
    """Tell whether the customer asked not to be reached at this time of their day.

    In UTC while their zone is not known. Quiet hours may pass midnight; equal ends mean none.
    """
    start = state.head[HEAD["quiet_from_minute"]]
    end = state.head[HEAD["quiet_until_minute"]]
    if start == end:
        return False
    local = datetime.fromtimestamp(at_ms / 1000, zone(state.time_zone))
    minute = local.hour * 60 + local.minute
    return start <= minute < end if start < end else minute >= start or minute < end


def apply_contact_policy(
    wave: Wave,
    limits: Sequence[ContactLimit],
    channels: NDArray[np.intp],
    service: NDArray[np.bool_],
    funnel: Funnel,
) -> None:
    """Drop what would be one contact too many.

    `channels` (n, a) is the place in `CHANNELS` of the treatment that each action would use;
    `service` (a,) tells which actions serve rather than sell.
    """
    full = np.array([len(state.pending) >= MAX_PENDING for state in wave.states])
    funnel.drop(full[:, None], "contact:awaiting_outcomes")
    for limit in limits:
        over = _used(wave, limit, channels) >= limit.max_contacts
        if limit.scope == "overall":
            # Offers must not use up what an apology or an answer to a ticket needs.
            over = over & ~service
        funnel.drop(over, f"contact:{limit.id}")


def _used(wave: Wave, limit: ContactLimit, channels: NDArray[np.intp]) -> Floats:
    """Count the contacts that use up a limit, per customer and action, (n, a) or (n, 1)."""
    recent = wave.contacts_since(limit.window_ms)
    in_window = wave.count_by_customer(recent)[:, None]
    if limit.scope == "overall":
        return in_window
    if limit.scope == "channel":
        used = _used_by_channel(wave, limit, recent, channels)
        limited = channels >= 0 if limit.name is None else channels == CHANNELS.index(limit.name)
    else:
        slot = _SLOT_OF_SCOPE[limit.scope]
        numbers: Floats = getattr(wave.axis, f"{slot}_numbers")
        used = wave.count_by_action(recent, slot, numbers)
        # An action without a family is not limited by family.
        limited = (numbers > 0 if limit.name is None else numbers == name_number(limit.name))[None]
    # A ring that is full of contacts within the window may have forgotten others within it, and a
    # limit must hold even then.
    return np.where(limited, np.where(in_window >= MAX_CONTACTS, np.inf, used), 0.0)


def _used_by_channel(
    wave: Wave, limit: ContactLimit, recent: NDArray[np.bool_], channels: NDArray[np.intp]
) -> Floats:
    used = np.zeros(channels.shape)
    for number, channel in enumerate(CHANNELS):
        if limit.name in (None, channel):
            count = wave.count_by_customer(recent & (wave.contact("channel") == number))
            used = np.where(channels == number, count[:, None], used)
    return used


def record_contact(
    state: CustomerState, at_ms: int, action: str, family: str | None, issue: str, channel: str
) -> None:
    """Remember that an action was published; of too many contacts the earliest is forgotten."""
    contacts = state.contacts
    contacts.extend(
        (
            at_ms,
            name_number(action),
            name_number(family),
            name_number(issue),
            float(CHANNELS.index(channel)),
        )
    )
    if len(contacts) > MAX_CONTACTS * CONTACT_WIDTH:
        # Not the first in the ring: contacts of late events stand behind younger ones.
        times = contacts[CONTACT["at_ms"] :: CONTACT_WIDTH]
        earliest = times.index(min(times)) * CONTACT_WIDTH
        del contacts[earliest : earliest + CONTACT_WIDTH]
