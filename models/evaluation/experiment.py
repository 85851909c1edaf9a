"""One experiment as lessons tell it: the ledger, the check of the split, and nothing counted twice.

A lesson is one settled decision, published or (held out) not. A crash may repeat lessons of a
timeline partition in the same order, so the place of the last one counted tells what is new.

A customer counts once in a scope, by their first decision there. The first of all comes before any
influence. The first of a family or action may come after others, and so after what the customer
made of those: where one arm's customers come as far as that more often than the other's, the two
are not alike any more, and nothing is claimed (Fabijan et al.: Diagnosing sample ratio mismatch,
KDD 2019, on triggered analyses).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from models.evaluation.ledger import HOLDOUT, OVERALL, TREATED, Ledger, Scope, Settled
from models.evaluation.srm import ShareTest
from models.evaluation.uplift_estimate import (
    Uplift,
    conversion_rate,
    uplift_of,
    value_rate,
    withheld,
)
from schemas.records import Lesson

_BEFORE_ALL = (-1, 0, 0, "")
_HASH_BITS = 15


@dataclass(frozen=True, slots=True)
class Comparison:
    """What to compare: an arm with another, by conversions or by money."""

    arm: str = TREATED
    without: str = HOLDOUT
    by_value: bool = False


def settled_of(lesson: Lesson, currency: str | None = None) -> Settled:
    """Return what an experiment needs of a lesson; its value is in minor units of `currency`.

    What was spent in another currency adds no value, for the two cannot be added.
    """
    known = currency is None or lesson.currency in ("", currency)
    # Without a place (made by hand) each decision counts as a customer of its own.
    customer = lesson.place.customer if lesson.place else int(lesson.decision_id[:_HASH_BITS], 16)
    return Settled(
        lesson.arm,
        lesson.action,
        lesson.family,
        lesson.converted,
        float(lesson.spent_minor if known else 0),
        customer,
        lesson.decided_at_ms,
        lesson.first,
    )


def intended_split(holdout_ratio: float, treated_ratio: float) -> dict[str, float] | None:
    """Return the shares that holdout and treated should have of each other; None without both.

    Only these two are compared, for their decisions are made by one policy: a customer of another
    arm may wait longer for a first decision that is settled, and would be missed for no fault.

    >>> intended_split(0.25, 0.5)
    {'holdout': 0.3333333333333333, 'treated': 0.6666666666666666}
    """
    both = holdout_ratio + treated_ratio
    if holdout_ratio <= 0 or treated_ratio <= 0:
        return None
    return {HOLDOUT: holdout_ratio / both, TREATED: treated_ratio / both}


class Experiment:
    """Counts lessons, in the order in which they were written.

    `shares` is the intended split to be watched, overall and within each scope, or None. Money is
    counted in `currency`; None takes every lesson for one of the same.
    """

    def __init__(
        self, shares: Mapping[str, float] | None = None, currency: str | None = None
    ) -> None:
        self._currency = currency
        self.other_currencies: Counter[str] = Counter()
        self.ledger = Ledger()
        self.split = ShareTest(shares) if shares else None
        self._splits: dict[Scope, ShareTest] = {OVERALL: self.split} if self.split else {}
        self.repeated = 0
        self._counted: dict[tuple[str, int], tuple[int, int, int, str]] = {}

    def see(self, lesson: Lesson) -> bool:
        """Count a lesson; False for one that was counted before."""
        if lesson.place is not None:
            source = (lesson.model, lesson.place.partition)
            if lesson.order <= self._counted.get(source, _BEFORE_ALL):
                self.repeated += 1
                return False
            self._counted[source] = lesson.order
        settled = settled_of(lesson, self._currency)
        if self._currency and lesson.currency not in ("", self._currency):
            self.other_currencies[lesson.currency] += 1
        self.ledger.add(settled)
        if self.split is not None:
            for scope in map(self.ledger.named, settled.scopes):
                test = self._splits.get(scope)
                if test is None:
                    test = self._splits[scope] = ShareTest(self.split.shares)
                test.see(settled.arm)
        return True

    def uplifts(self, what: Comparison, kinds: tuple[str, ...] = ()) -> list[Uplift]:
        """Return the uplift overall, of each family and of each action, or only of `kinds`."""
        rate_of = value_rate if what.by_value else conversion_rate
        return [
            self._checked(uplift_of(self.ledger, scope, what.arm, what.without, rate_of), what)
            for scope in self.ledger.scopes()
            if not kinds or scope[0] in kinds
        ]

    def _checked(self, found: Uplift, what: Comparison) -> Uplift:
        """Withhold comparisons of unlike customers; the whole is reported, beside its own alarm."""
        scope = (found.kind, found.name)
        if scope == OVERALL:
            return found
        if {what.arm, what.without} != {TREATED, HOLDOUT}:
            return withheld(found, "the two arms choose it for other customers")
        test = self._splits.get(scope)
        if test is not None and test.alarm:
            return withheld(found, "one arm's customers come to it more often than the other's")
        return found
