"""The ledger of an experiment: running sums per arm, from which every uplift is read.

Settled decisions come in one at a time; what is kept is bounded. The unit of analysis is the
*customer*, who is assigned to an arm by a salted hash and stays there. In a worker only a
customer's first decision of a scope counts in it (`Settled.first`). A log from elsewhere may have
several rows of one customer, which are not independent, and a binomial error would be far too
small. So customers are put into `BUCKETS` groups by hash (the random groups of survey statistics;
Chamandy et al.: Estimating uncertainty for massive data streams, Google 2012). All rows of a
customer are in one group, groups are independent, and their spread gives the error of the rate with
any dependence within a customer.
"""

from __future__ import annotations

from array import array
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.symbols import ARMS, FIRST_OF_ACTION, FIRST_OF_ALL, FIRST_OF_FAMILY

HOLDOUT, TREATED = "holdout", "treated"

# The spread of 128 groups is known to 6 %; 256 would cost twice the memory for 4 %.
BUCKETS = 128
# Five numbers of 8 bytes per arm and bucket: 20 KiB a name, 20 MiB in all.
MAX_NAMES = 1_000
OTHER = "other"
OVERALL = ("overall", "")
_SLOTS = 5
_WIDTH = len(ARMS) * _SLOTS * BUCKETS
_PLACE_OF_ARM = {arm: place * _SLOTS * BUCKETS for place, arm in enumerate(ARMS)}

Floats = NDArray[np.float64]
Scope = tuple[str, str]
"""("overall", ""), ("family", name) or ("action", name)."""


class Settled(NamedTuple):
    """A decision whose attribution window is over, published or not.

    `customer` is a well-mixed 64-bit hash; `value` is the value of the conversion, in one unit for
    all arms. It counts in the scopes that `first` names (`FIRST_OF_*` added up).
    """

    arm: str
    action: str
    family: str | None
    converted: bool
    value: float
    customer: int
    decided_at_ms: int
    first: int = FIRST_OF_ALL | FIRST_OF_FAMILY | FIRST_OF_ACTION

    @property
    def scopes(self) -> list[Scope]:
        """The scopes in which it counts."""
        found: list[Scope] = [OVERALL] if self.first & FIRST_OF_ALL else []
        if self.first & FIRST_OF_ACTION:
            found.append(("action", self.action))
        if self.first & FIRST_OF_FAMILY and self.family is not None:
            found.append(("family", self.family))
        return found


class ArmSums(NamedTuple):
    """The sums of one arm per bucket, each (BUCKETS,), and the largest single value."""

    decisions: Floats
    conversions: Floats
    value: Floats
    value_squares: Floats
    largest_value: Floats


class Ledger:
    """Running sums per arm, overall and for each family and action (`MAX_NAMES` of them)."""

    def __init__(self) -> None:
        self._sums: dict[Scope, array[float]] = {}
        self.settled = 0
        self.unknown_arm = 0
        self.first_ms = self.last_ms = 0

    def add(self, settled: Settled) -> None:
        """Count one settled decision; one of an arm that is none of `ARMS` is only noted."""
        start = _PLACE_OF_ARM.get(settled.arm)
        if start is None:
            self.unknown_arm += 1
            return
        at_ms = settled.decided_at_ms
        self.first_ms = min(self.first_ms, at_ms) if self.settled else at_ms
        self.last_ms = max(self.last_ms, at_ms)
        self.settled += 1
        place = start + settled.customer % BUCKETS
        for scope in settled.scopes:
            self._count(self.named(scope), place, settled)

    def named(self, scope: Scope) -> Scope:
        """Return under which scope one is counted: past `MAX_NAMES` the new ones share one."""
        if scope in self._sums or len(self._sums) < MAX_NAMES:
            return scope
        return scope[0], OTHER

    def _count(self, scope: Scope, place: int, settled: Settled) -> None:
        sums = self._sums.get(scope)
        if sums is None:
            sums = self._sums.setdefault(scope, array("d", bytes(8 * _WIDTH)))
        sums[place] += 1.0
        if settled.converted:
            sums[place + BUCKETS] += 1.0
        if settled.value:
            sums[place + 2 * BUCKETS] += settled.value
            sums[place + 3 * BUCKETS] += settled.value * settled.value
            largest = place + 4 * BUCKETS
            sums[largest] = max(sums[largest], settled.value)

    def scopes(self) -> list[Scope]:
        """Return what has sums: overall, then families, then actions, each by name."""
        rank = {"overall": 0, "family": 1, "action": 2}
        return sorted(self._sums, key=lambda scope: (rank[scope[0]], scope[1]))

    def sums(self, scope: Scope, arm: str) -> ArmSums:
        """Return the sums of one arm; zeros where nothing was settled."""
        held = self._sums.get(scope)
        if held is None:
            return ArmSums(*np.zeros((_SLOTS, BUCKETS)))
        start = _PLACE_OF_ARM[arm]
        rows = np.frombuffer(held)[start : start + _SLOTS * BUCKETS].reshape(_SLOTS, BUCKETS)
        return ArmSums(*rows.copy())
