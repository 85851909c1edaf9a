"""River's own battery of estimator checks runs over every learner of the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from river import checks

from models.learning.learners import LEARNERS

PRIOR = 0.05


def every_check() -> Iterator[Any]:
    for name, factory in LEARNERS.items():
        learner: Any = factory(PRIOR)
        skipped = learner._unit_test_skips()
        for number, check in enumerate(checks.yield_checks(learner)):
            if check.__name__ not in skipped:
                yield pytest.param(name, check, id=f"{name}-{number}-{check.__name__}")


@pytest.mark.parametrize(("name", "check"), list(every_check()))
def test_river_accepts_the_learner(name: str, check: Callable[[Any], None]) -> None:
    check(LEARNERS[name](PRIOR).clone())


def test_all_of_rivers_checks_run_on_the_logistic_pipeline() -> None:
    """There are 44 in River 0.26, and four more about data frames where pandas is installed."""
    assert sum(param.values[0] == "logistic" for param in every_check()) in (44, 48)
