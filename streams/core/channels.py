"""Channels by what they do to people."""

from __future__ import annotations

# These reach out to people; the others wait until somebody comes by. In a fixed order, because
# what is kept by channel is stored.
REACHING_OUT = ("email", "sms", "call_center")
