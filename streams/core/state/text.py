"""Texts as the state keeps them."""

from __future__ import annotations

import re

from streams.core.hashing import id_hash
from streams.core.state.layout import (
    MAX_NAME_BYTES,
)

_SHORTENED = re.compile(r".*~[0-9a-f]{16}", re.DOTALL)


# Line breaks, control characters and those that turn the direction of writing: with them a name
# could add a header to a mail, or a line to what an employee reads.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def shortened(text: str, most_bytes: int) -> str:
    """Return a text that fits into `most_bytes` of UTF-8; equal ones stay equal, others differ.

    Longer ones keep their beginning, followed by a hash of the whole.

    >>> shortened("teapot", 20), len(shortened("teapot" * 9, 20))
    ('teapot', 20)
    """
    if len(text) <= most_bytes and (text.isascii() or len(text.encode()) <= most_bytes):
        return text
    mark = f"~{id_hash(text):016x}"
    return text.encode()[: most_bytes - len(mark)].decode(errors="ignore") + mark


def is_whole(text: str) -> bool:
    """Return whether a stored text is complete, and fit to be shown to people.

    >>> is_whole("teapot"), is_whole(shortened("teapot" * 9, 20)), is_whole("tea" + chr(10))
    (True, False, False)
    """
    return _SHORTENED.fullmatch(text) is None and _STEERING.search(text) is None


def family_name(family: str | None) -> str | None:
    """Return a family as the state keeps it: the ids of a catalogue stay as they are."""
    return None if family is None else shortened(family, MAX_NAME_BYTES)
