"""Columns that grow row by row and then stay as numpy arrays: 8 bytes a number, 4 a category."""

from __future__ import annotations

import re
from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A category beyond these (in the order of the file) shares one column with the rest.
MAX_CATEGORIES = 64
MISSING = -1


# A whole number as spreadsheets and pandas write it where a cell of the column was empty.
_WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]*))\.0+")


def name_of(value: Any) -> str:
    """Return a value as the name of an action, a category or a customer: equal numbers are one.

    Leading zeros stay, and so does `1.10`: the tenth version of something is not the first.

    >>> name_of(11.0), name_of("11.0"), name_of(11), name_of("007"), name_of("1.10")
    ('11', '11', '11', '007', '1.10')
    """
    text = str(value)
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


class Numbers:
    """A column of numbers. Empty, `nan`, infinite or no number at all: NaN, which is *missing*.

    >>> column = Numbers()
    >>> for value in ("1.5", None, "often"):
    ...     column.add(value)
    >>> column.values().tolist(), column.unreadable, column.first_unreadable
    ([1.5, nan, nan], 1, 'often')
    """

    def __init__(self) -> None:
        self._values = array("d")
        self.unreadable = 0
        self.first_unreadable: Any = None

    def add(self, value: Any) -> None:
        """Append a value of any type."""
        self._values.append(self._read(value))

    def add_to(self, place: int, value: Any) -> None:
        """Add a value to the one at `place`; what is missing adds nothing."""
        number = self._read(value)
        if number == number:
            there = self._values[place]
            self._values[place] = number if there != there else there + number

    def values(self) -> NDArray[np.float64]:
        """Return the column, (n,)."""
        return np.array(self._values, np.float64)

    def _read(self, value: Any) -> float:
        if value is None:
            return np.nan
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            if not self.unreadable:
                self.first_unreadable = value
            self.unreadable += 1
            return np.nan
        return number if np.isfinite(number) else np.nan


class Categories:
    """A column of names as codes; `MISSING` where empty. `limit` None keeps every name apart.

    >>> column = Categories(limit=1)
    >>> for value in ("red", "blue", None, "red"):
    ...     column.add(value)
    >>> column.codes().tolist(), column.names
    ([0, 1, -1, 0], ['red'])
    """

    def __init__(self, limit: int | None = MAX_CATEGORIES) -> None:
        self._codes = array("i")
        self._code_of: dict[str, int] = {}
        self._limit = limit

    def add(self, value: Any) -> None:
        """Append a value of any type; it counts as its text."""
        self._codes.append(self._code(value))

    def codes(self) -> NDArray[np.int32]:
        """Return the column, (n,); the code after the last name means all further names."""
        return np.array(self._codes, np.int32)

    @property
    def names(self) -> list[str]:
        """The names in the order of their codes."""
        return list(self._code_of)

    def _code(self, value: Any) -> int:
        if value is None:
            return MISSING
        text = name_of(value)
        code = self._code_of.get(text)
        if code is None:
            code = len(self._code_of)
            if self._limit is None or code < self._limit:
                self._code_of[text] = code
        return code
