"""Channels by what they do to people."""

from __future__ import annotations

# These reach out to people; the others wait until somebody comes by. In a fixed order, because
# what is kept by channel is stored.
REACHING_OUT = ("email", "sms", "call_center")
# Places where customers come by; one who is at one of them is at none of the others.
PASSIVE = ("web", "app", "store")
# A machine's message that reaches out; too many of them in a row, and a person should.
AUTOMATED = frozenset({"email", "sms"})
# Where an employee speaks with the customer.
BY_PEOPLE = frozenset({"call_center", "store"})
