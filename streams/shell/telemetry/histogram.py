"""A Prometheus histogram that observes many values in one call.

A worker measures every state that it writes and every action that it sends, thousands at a time.
The client library would take a lock for each value; here a batch takes one lock.
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
    """Number of values by bucket (the last is unbounded), and the sum of the values."""

    counts: Counter[int] = field(default_factory=Counter)
    total: float = 0.0


class Histogram(Collector):
    """A histogram with upper bounds `buckets` (inclusive, rising), one series per label values.

    Without labels its only series exists from the start.
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
        """Add values to the series of these label values."""
        buckets, observed = self._buckets, list(values)
        counts = Counter([bisect_left(buckets, value) for value in observed])
        with self._lock:
            series = self._series.setdefault(labels, _Series())
            series.counts += counts
            series.total += sum(observed)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the series as Prometheus expects them: cumulative counts, up to infinity."""
        family = HistogramMetricFamily(self._name, self._help, labels=self._labels)
        bounds = [*map(floatToGoString, self._buckets), "+Inf"]
        with self._lock:
            for labels, series in self._series.items():
                below, cumulative = 0, []
                for index, bound in enumerate(bounds):
                    below += series.counts[index]
                    cumulative.append((bound, float(below)))
                family.add_metric(labels, cumulative, series.total)
        yield family
