"""What a row cannot do without: values that make a row of a log unusable, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def checks(
    given: Mapping[str, Floats], texts: Mapping[str, NDArray[np.object_]], rows: int
) -> Iterator[tuple[str, NDArray[np.bool_], Callable[[int], str]]]:
    """Yield what each column must be: its name, which rows are not so, and what they are."""

    def shown(name: str, what: str) -> Callable[[int], str]:
        return lambda place: f"{given[name][place]:g} {what}"

    if "time" in given:
        outside = ~((given["time"] >= 0.0) & (given["time"] < 2.0**62))
        yield "time", outside, lambda _: "is empty or before 1970; every row needs its time"
    if "action" in texts:
        empty = np.array([value is None or value == "" for value in texts["action"]])
        yield "action", empty, lambda _: "is empty; name what was done, or the control's name"
    if "probability" in given:
        wrong = (given["probability"] <= 0.0) | (given["probability"] > 1.0)
        yield "probability", wrong, shown("probability", "is not above 0 and at most 1")
    if "outcome" in given:
        wrong = ~np.isin(given["outcome"], (0.0, 1.0)) & ~np.isnan(given["outcome"])
        yield "outcome", wrong, shown("outcome", "is not 1 or 0")
    if "window" in given:
        yield "window", ~(given["window"] > 0.0), lambda _: "is no span of days or less above 0"
    if "outcome_time" in given:
        label = given.get("outcome", np.ones(rows)) == 1.0
        early = label & (given["outcome_time"] < given["time"])
        yield "outcome_time", early, lambda _: "lies before the row's own time"
    for name in ("money", "value", "cost"):
        if name in given:
            yield name, np.isinf(given[name]), lambda _: "is no finite number"
