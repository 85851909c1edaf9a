"""Names of actions, customers and categories, and columns of them as codes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# A category beyond these (in the order of the log) shares one column with the rest.
MAX_CATEGORIES = 64
MISSING = -1
# A whole number as spreadsheets and pandas write it where a cell of the column was empty.
_WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]*))\.0+")


@dataclass(frozen=True)
class Category:
    """A column of names: codes (n,), `MISSING` where empty, len(names) for all further names."""

    codes: NDArray[np.int32]
    names: tuple[str, ...]


def name_of(value: object) -> str:
    """Return a value as a name: equal numbers are one.

    Leading zeros stay, and so does `1.10`: the tenth version of something is not the first.

    >>> name_of(11.0), name_of("11.0"), name_of(11), name_of("007"), name_of("1.10")
    ('11', '11', '11', '007', '1.10')
    """
    text = str(value)
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def coded(
    values: Sequence[object] | NDArray[np.object_], limit: int | None = MAX_CATEGORIES
) -> Category:
    """Return values as codes in the order in which they come; `limit` None keeps every name.

    >>> held = coded(["red", "blue", None, "red"], limit=1)
    >>> held.codes.tolist(), held.names
    ([0, 1, -1, 0], ('red',))
    """
    code_of: dict[object, int] = {None: MISSING}
    names: dict[str, int] = {}
    codes = np.empty(len(values), np.int32)
    for place, value in enumerate(values):
        code = code_of.get(value)
        if code is None:
            name = name_of(value)
            if name not in names and (limit is None or len(names) < limit):
                names[name] = len(names)
            code = code_of[value] = names.get(name, len(names))
        codes[place] = code
    # A name that came after the limit has the code that follows the last one.
    return Category(codes, tuple(names))
