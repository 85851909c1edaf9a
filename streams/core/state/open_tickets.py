"""Whether a support ticket still counts as open.

Desks merge, delete and close tickets without an event, so a ticket without one for
`Timers.ticket_closes_ms` counts as closed, whatever its last event was. It was not resolved either,
so nothing that follows a resolution begins.
"""

from __future__ import annotations

from streams.core.state.customer import Ticket


def still_open(ticket: Ticket, at_ms: float, closes_ms: int) -> bool:
    """Return whether a ticket is open at `at_ms`, if one without an event for `closes_ms` is not.

    >>> quiet = Ticket(1_000, 1_000, True, 1, None, heard_ms=5_000)
    >>> still_open(quiet, 6_999, closes_ms=2_000), still_open(quiet, 7_000, closes_ms=2_000)
    (True, False)
    """
    return ticket.is_open and at_ms < ticket.heard_ms + closes_ms
