"""Ways to a customer: which treatments are open now, and what closes the others.

What closes a channel is, in this order, the customer's own word, being elsewhere, too many
automated messages in a row, a limit of that channel, and quiet hours.

*Elsewhere*: an event tells on which channel the customer is. What is shown on another web site, app
or in a store would not be seen by them, so the treatments there are closed at that moment.

Where the customer is may not be known: a support desk seldom tells. Then service is sent, not left
where they may never come by: its treatments that reach out go before the others.

Service is exempt from quiet hours, from the cap on automated messages, from limits of a channel
and, unless the catalogue says otherwise, from an unsubscribe: these are about what the customer did
not ask for. A budget
that is used up closes the treatments it is about, so that another channel carries what is owed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.symbols import CHANNELS
from streams.core.arrays import Mask
from streams.core.catalogue.contact_rules import ContactRules
from streams.core.catalogue.service import is_service
from streams.core.catalogue.values import Action
from streams.core.channels import AUTOMATED, PASSIVE, REACHING_OUT
from streams.core.features.wave import Wave
from streams.core.policy.contact.contact_limits import Windows, channels_over_limit

# Reasons, from 1; limits per channel follow, then budgets. 0 is open.
NO_WAY, QUIET, TIRED, ELSEWHERE = 1, 2, 3, 4
CLOSED = (
    "contact:no_open_channel",
    "contact:quiet_hours",
    "contact:automated_in_a_row",
    "contact:customer_elsewhere",
)
_NO_CHANNEL = len(CHANNELS)
_UNKNOWN_PLACE = CHANNELS.index("other")
_REACHES_OUT = np.array([*(channel in REACHING_OUT for channel in CHANNELS), False])
_AUTOMATED = np.array([channel in AUTOMATED for channel in CHANNELS])
# What is closed to a customer on each channel, (channels, channels). "other" is no known place.
_AWAY = np.array(
    [[here != "other" and at in PASSIVE and at != here for at in CHANNELS] for here in CHANNELS]
)

Reasons = NDArray[np.int16]


class OpenTreatments:
    """The treatments of a catalogue's actions (a), at most `most` of each, in their order."""

    def __init__(self, rules: ContactRules, actions: Sequence[Action]) -> None:
        self._rules = rules
        self._limits = [limit for limit in rules.limits if limit.scope == "channel"]
        self._service = np.array([is_service(action) for action in actions])
        self._has_service = bool(self._service.any())
        # The place in `CHANNELS` of each treatment, (a, most), filled up by what leads nowhere.
        self.channels = _channel_numbers(actions)
        self._sent = _REACHES_OUT[self.channels] & self._service[:, None]
        self.fates = (*CLOSED, *(f"contact:{limit.id}" for limit in self._limits))

    def closed(
        self,
        wave: Wave,
        windows: Windows,
        quiet: Mask | None,
        used_up: Sequence[tuple[str, Mask]],
    ) -> Reasons:
        """Return what closes each treatment for each customer, (n, a, most); 0 is open.

        `quiet` (n, channels) is true where quiet hours close a channel. `used_up` has the fate of
        each closed budget with its treatments, (a, most): these reasons come after those of
        `fates`.
        """
        closed, owed = self._by_channel(wave, windows)
        if quiet is not None and quiet.any():
            _close(closed, quiet, QUIET)
        ways: Reasons = closed.take(self.channels, axis=1)
        if self._has_service:
            ways[:, self._service] = owed.take(self.channels[self._service], axis=1)
            for number, (_, about) in enumerate(used_up, start=len(self.fates) + 1):
                _use_up(ways, about & self._service[:, None], number)
        return ways

    def first_here(self, ways: Reasons) -> NDArray[np.intp]:
        """Return the place of each action's first treatment that is not elsewhere, (n, a).

        An action with all its treatments elsewhere keeps the first of them.
        """
        here = (ways != ELSEWHERE) & (self.channels != _NO_CHANNEL)
        first: NDArray[np.intp] = here.argmax(axis=2)
        return first

    def preferred(self, wave: Wave, usable: Mask) -> Mask:
        """Return of the usable treatments, (n, a, most), those that are preferred.

        Where it is not known where a customer is, service reaches out if it can.
        """
        unknown = wave.channel_numbers == _UNKNOWN_PLACE
        if not self._has_service or not unknown.any():
            return usable
        sent = usable & self._sent & unknown[:, None, None]
        left: Mask = np.where(sent.any(axis=2)[:, :, None], sent, usable)
        return left

    def _by_channel(self, wave: Wave, windows: Windows) -> tuple[Reasons, Reasons]:
        """Return what closes each channel, (n, channels + 1), to marketing and to service.

        Quiet hours are left out. The last channel leads nowhere and is never open.
        """
        closed = np.zeros((len(wave), len(CHANNELS) + 1), np.int16)
        closed[:, _NO_CHANNEL] = NO_WAY
        owed = closed.copy()
        for row, state in enumerate(wave.states):
            for channel in state.unsubscribed:
                closed[row, CHANNELS.index(channel)] = NO_WAY
        if not self._rules.service_after_unsubscribe:
            owed = closed.copy()
        away = _AWAY.take(wave.channel_numbers, axis=0)
        _close(closed, away, ELSEWHERE)
        if self._rules.automated_in_a_row is not None:
            tired = wave.number("automated_in_a_row") >= self._rules.automated_in_a_row
            _close(closed, tired[:, None] & _AUTOMATED, TIRED)
        for number, limit in enumerate(self._limits, start=len(CLOSED) + 1):
            _close(closed, channels_over_limit(wave, windows, limit), number)
        if self._has_service:
            _close(owed, away, ELSEWHERE)
        return closed, owed


def _close(closed: Reasons, where: Mask, reason: int) -> None:
    """Close the channels in `where` (broadcast to (n, channels)) that are open, for a reason."""
    ways = closed[:, :_NO_CHANNEL]
    ways[(ways == 0) & where] = reason


def _use_up(ways: Reasons, about: Mask, reason: int) -> None:
    """Close the open treatments in `about` (a, most) for everybody, for a reason."""
    cells = ways[:, about]
    cells[cells == 0] = reason
    ways[:, about] = cells


def _channel_numbers(actions: Sequence[Action]) -> NDArray[np.intp]:
    most = max(len(action.treatments) for action in actions)
    numbers = np.full((len(actions), most), _NO_CHANNEL, np.intp)
    for action, row in zip(actions, numbers, strict=True):
        for place, treatment in enumerate(action.treatments):
            row[place] = CHANNELS.index(treatment.channel)
    return numbers
