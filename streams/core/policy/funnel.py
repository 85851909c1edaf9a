"""The funnel: which actions are still candidates for each customer, and what dropped the others.

The first reason to drop an action stays with it. A fate is "candidate" or "tier:rule".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streams.core.arrays import Mask

CANDIDATE = "candidate"


class Funnel:
    """The fates of a actions for each of n customers."""

    def __init__(self, customers: int, actions: int) -> None:
        self._names = [CANDIDATE]
        self._fates = np.zeros((customers, actions), np.int32)

    @property
    def candidates(self) -> Mask:
        """Who may still get what, shape (n, a)."""
        mask: Mask = self._fates == 0
        return mask

    def drop(self, where: Mask, fate: str) -> None:
        """Drop the candidates in `where` (broadcast to (n, a)), for the reason `fate`."""
        np.copyto(self._fates, len(self._names), where=self.candidates & where)
        self._names.append(fate)

    def drop_each(self, reasons: NDArray[np.integer], fates: Sequence[str]) -> None:
        """Drop candidates for reasons of their own.

        `reasons` (n, a) holds places in `fates` counted from 1, and 0 where there is none.
        """
        before = len(self._names) - 1
        where = self.candidates & (reasons > 0)
        np.add(reasons, before, out=self._fates, where=where, dtype=np.int32)
        self._names.extend(fates)

    def fates_of(self, customer: int) -> list[str]:
        """Return the fate of every action for one customer."""
        return [self._names[number] for number in self._fates[customer].tolist()]
