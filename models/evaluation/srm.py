"""Sample-ratio mismatch: an alarm, valid at any time, when arms are not filled as intended.

If 10 % of customers are to be held out and 11.2 % are, something between the dice and the count
is broken, and no uplift read from it means anything. The test is the multinomial e-process of
Lindon and Malek (Anytime-valid inference for multinomial count data, NeurIPS 2022): a Dirichlet
mixture over all shares bets against the intended ones. Under the null it is a non-negative
martingale that starts at 1, so it ever reaches 1 / alpha with probability at most alpha (Ville).

Arms are dealt to customers, so customers are counted, each once, at their first decision.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

# An alarm that stops an experiment must be rarely false (Fabijan et al., KDD 2019: .0005).
ALPHA = 0.001
# How far from the intended shares the mixture looks: for a share of .1 about +-.01.
CONCENTRATION = 1_000.0


class ShareTest:
    """The running test of one split; `shares` (arm -> intended share) are above 0 and sum to 1.

    >>> test = ShareTest({"holdout": 0.5, "treated": 0.5})
    >>> for _ in range(200):
    ...     test.see("treated")
    >>> test.alarm, test.counts["treated"]
    (True, 200)
    """

    def __init__(self, shares: Mapping[str, float], alpha: float = ALPHA) -> None:
        if not shares or min(shares.values()) <= 0 or abs(sum(shares.values()) - 1) > 1e-9:
            raise ValueError(f"shares must be above 0 and sum to 1: {dict(shares)}")
        self.shares = dict(shares)
        self.alpha = alpha
        self.counts = dict.fromkeys(shares, 0)
        self._log_wealth = self._highest = 0.0

    def see(self, arm: str) -> None:
        """Count a customer, who must not come twice; an arm that is not of the split is ignored."""
        if arm not in self.shares:
            return
        share = self.shares[arm]
        total = sum(self.counts.values())
        expected = (CONCENTRATION * share + self.counts[arm]) / (CONCENTRATION + total)
        self._log_wealth += math.log(expected / share)
        self._highest = max(self._highest, self._log_wealth)
        self.counts[arm] += 1

    @property
    def p_value(self) -> float:
        """The anytime-valid p-value: it only ever falls."""
        return min(1.0, math.exp(-self._highest))

    @property
    def alarm(self) -> bool:
        """Whether the split was refuted; once raised it stays."""
        return self.p_value <= self.alpha
