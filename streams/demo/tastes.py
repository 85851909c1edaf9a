"""Hidden tastes: what each simulated customer likes, known to the simulator alone.

Taste per family leans on what the real customer bought in the whole history (log of the lift of
the family's share over its share in the shop), blurred by chance. It is the truth that the
deciding side has to find out: nothing of it is ever sent but what clicks and answers give away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log
from random import Random

from streams.demo.families import families
from streams.demo.online_retail import Invoice
from streams.demo.seeded import chance

CHANNELS = ("email", "web", "app", "sms", "call_center")
_CHANNEL_WEIGHTS = (40, 25, 20, 10, 5)
# Lines of the shop's average that are added to every customer's purchases: a customer with one
# order does not love only what was in it.
_PRIOR_LINES = 4.0
_LIFT_WEIGHT = 0.9
_BLUR = 0.3
_MOST = 2.2


@dataclass(frozen=True, slots=True)
class Tastes:
    """One customer's hidden truth.

    `families` and `bother` are in log-odds of a response; `bother` is the cost of each contact of
    the last week. `sessions_per_day` is how often they look around without ordering.
    """

    families: Mapping[str, float]
    channel: str
    bother: float
    sessions_per_day: float

    def liking(self, family: str | None) -> float:
        """Return the taste for a family, 0 for none or one they have no opinion on."""
        return self.families.get(family, 0.0) if family else 0.0

    def draw_family(self, rng: Random, sharpness: float = 1.8) -> str:
        """Draw a family to look at: the more liked, the likelier."""
        names = tuple(self.families)
        weights = [2.718281828 ** (sharpness * self.families[name]) for name in names]
        return rng.choices(names, weights)[0]


def bought_lines(invoices: Iterable[Invoice]) -> dict[str, Counter[str]]:
    """Count ordered lines per customer and family; refunds and what is no product left out."""
    counts: dict[str, Counter[str]] = {}
    for invoice in invoices:
        lines = counts.setdefault(invoice.customer, Counter())
        if not invoice.is_refund:
            lines.update(line.product.family for line in invoice.lines if line.product.family)
    return counts


def hidden_tastes(
    seed: int, bought: Mapping[str, Counter[str]], orders_per_day: Mapping[str, float]
) -> dict[str, Tastes]:
    """Return everybody's tastes, from what they bought and the seed."""
    shop: Counter[str] = Counter()
    for lines in bought.values():
        shop.update(lines)
    total = max(shop.total(), 1)
    shares = {family: max(shop[family] / total, 1e-4) for family in families()}
    return {
        customer: _tastes_of(
            chance(seed, "tastes", customer), lines, shares, orders_per_day.get(customer, 0.0)
        )
        for customer, lines in bought.items()
    }


def _tastes_of(
    rng: Random, lines: Counter[str], shares: Mapping[str, float], orders_per_day: float
) -> Tastes:
    liked = {}
    for family, share in shares.items():
        lift = (lines[family] + _PRIOR_LINES * share) / (lines.total() + _PRIOR_LINES) / share
        taste = _LIFT_WEIGHT * log(lift) + rng.gauss(0.0, _BLUR)
        liked[family] = max(-_MOST, min(_MOST, taste))
    return Tastes(
        families=liked,
        channel=rng.choices(CHANNELS, _CHANNEL_WEIGHTS)[0],
        bother=rng.uniform(0.01, 0.08),
        sessions_per_day=0.004 + 1.2 * orders_per_day,
    )
