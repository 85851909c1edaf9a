"""Histograms that take many values at once.

A worker measures every state it writes and every action it sends, thousands at a time. One by one
the client library takes a lock and walks the buckets for each; here a batch is one search.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


@dataclass
class _Series:
    """Values by bucket, that beyond the last included, and their sum."""

    counts: Counter[int] = field(default_factory=Counter)
    total: float = 0.0


class Histogram(Collector):
    """A histogram with upper bounds `buckets` (inclusive, rising), one series per label values.

    Without labels its one series is there from the start.
    """

    def __init__(
        self, name: str, help: str, labels: Sequence[str], buckets: Sequence[float]
    ) -> None:
        self._name = name
        self._help = help
        self._labels = tuple(labels)
        self._buckets = tuple(buckets)
        self._series: dict[tuple[str, ...], _Series] = {} if labels else {(): _Series()}
        self._lock = Lock()

    def observe(self, values: Iterable[float], *labels: str) -> None:
        """Count values into the series of these label values."""
        buckets, taken = self._buckets, list(values)
        counts = Counter([bisect_left(buckets, value) for value in taken])
        with self._lock:
            series = self._series.setdefault(labels, _Series())
            series.counts += counts
            series.total += sum(taken)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the series as the text format has them: cumulative, up to infinity."""
        family = HistogramMetricFamily(self._name, self._help, labels=self._labels)
        bounds = [*map(floatToGoString, self._buckets), "+Inf"]
        with self._lock:
            for labels, series in self._series.items():
                below, cumulative = 0, []
                for place, bound in enumerate(bounds):
                    below += series.counts[place]
                    cumulative.append((bound, float(below)))
                family.add_metric(labels, cumulative, series.total)
        yield family
