"""The declaration of a metric, and a function for each kind of metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class MetricDeclaration:
    """One metric: full name, kind, help, labels, and the upper bounds of a histogram's buckets."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


def counter(name: str, help: str, *labels: str) -> MetricDeclaration:
    """Return a counter; `name` without our prefix and without `_total`."""
    return MetricDeclaration(f"concierge_{name}_total", "counter", help, labels)


def gauge(name: str, help: str, *labels: str) -> MetricDeclaration:
    """Return a gauge; `name` without our prefix."""
    return MetricDeclaration(f"concierge_{name}", "gauge", help, labels)


def histogram(name: str, help: str, buckets: tuple[float, ...], *labels: str) -> MetricDeclaration:
    """Return a histogram with the upper bounds `buckets`; `name` without our prefix."""
    return MetricDeclaration(f"concierge_{name}", "histogram", help, labels, buckets)
