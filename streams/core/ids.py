"""Ids as they are compared: without blanks around them, and never a word for a missing value.

One customer must not become two by a blank that a spreadsheet left, and a thousand must not become
one because a program wrote `null` where it knew no id.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from schemas.symbols import PLACEHOLDERS


def stripped(text: str) -> str:
    """Return an id as it is compared.

    >>> stripped("\\u00a0c-1042\\t")
    'c-1042'
    """
    return text.strip()


def clean_ids(record: dict[str, Any], needed: Iterable[str], optional: Iterable[str]) -> list[str]:
    """Strip the ids of a record in place; return the optional ones that held a placeholder.

    Those become None: the sender says that there is none. So does an optional id that is blank.
    Needed ones are left for the rules to refuse.
    """
    left_out: list[str] = []
    for name in needed:
        text = record[name]
        bare = text.strip()
        if bare is not text:
            record[name] = bare
    for name in optional:
        text = record[name]
        if text is None:
            continue
        bare = text.strip()
        if not bare or bare in PLACEHOLDERS:
            record[name] = None
            if bare:
                left_out.append(name)
        elif bare is not text:
            record[name] = bare
    return left_out
