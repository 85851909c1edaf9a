"""Channels by what they do to people."""

from __future__ import annotations

# These reach out to people; the others are seen when a customer is there. In a fixed order, because
# what is stored by channel depends on it.
REACHING_OUT = ("email", "sms", "call_center")
# Places where a customer can be; one who is at one of them is at none of the others.
PASSIVE = ("web", "app", "store")
# A machine's message that reaches out; too many of them in a row, and a person should.
AUTOMATED = frozenset({"email", "sms"})
# Where an employee speaks with the customer.
BY_PEOPLE = frozenset({"call_center", "store"})
