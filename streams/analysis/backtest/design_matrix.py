"""The design matrix of a log, made in slices: what a model sees of a row.

Numbers go in as sign(x) log(1 + |x|), as in the product's own features. A number that is missing
somewhere gets a second column that says so, and itself counts as the mean. Each category of a
column of names is a column of 0 and 1, "missing" and "any other" included; one that was not seen
yet has no weight yet.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streams.analysis.backtest.campaign_log import Floats, Ints, Log
from streams.analysis.backtest.category_codes import MISSING


class DesignMatrix:
    """Makes rows of a log's features."""

    def __init__(self, log: Log) -> None:
        self.names: list[str] = []
        columns: list[Floats] = []
        for name, values in log.numbers.items():
            self.names.append(name)
            columns.append(np.sign(values) * np.log1p(np.abs(values)))
            missing = np.isnan(values)
            if missing.any() and not missing.all():
                self.names.append(f"{name} is missing")
                columns.append(missing.astype(np.float64))
        self._numbers = np.column_stack(columns) if columns else np.empty((len(log), 0))
        places: list[NDArray[np.int32]] = []
        for name, category in log.categories.items():
            start = len(self.names)
            known = len(category.names)
            # A further column each for "any other" and "missing".
            places.append(np.where(category.codes == MISSING, known + 1, category.codes) + start)
            self.names += [f"{name}={value}" for value in category.names]
            self.names += [f"{name} is another", f"{name} is missing"]
        self._places = (
            np.column_stack(places) if places else np.empty((len(log), 0), np.int32)
        ).astype(np.int32)

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.names)

    def rows(self, which: Ints | slice) -> Floats:
        """Return the rows of a slice or of numbers, (m, width); NaN where a number is missing."""
        numbers, places = self._numbers[which], self._places[which]
        made = np.zeros((len(numbers), len(self.names)))
        made[:, : numbers.shape[1]] = numbers
        if places.shape[1]:
            made[np.arange(len(made))[:, None], places] = 1.0
        return made
