"""The experiment as metrics: customers per arm, the uplift with its interval, the split."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from models.evaluation.experiment import Comparison, Experiment
from models.evaluation.ledger import OVERALL
from schemas.records import Lesson
from schemas.symbols import ARMS
from streams.shell.telemetry import metrics as m
from streams.shell.telemetry.metrics import Metrics

ALL_FAMILIES = "all"
# An uplift costs a few hundred microseconds a family; a scrape comes every 15 s or so.
_SHOW_EVERY_MS = 5_000
_TREATED_OVER_HOLDOUT = Comparison()


class UpliftMeter:
    """Counts lessons of the assigned partitions and shows their uplift.

    `shares` returns the intended split of customers (see `intended_split`), or None.
    """

    def __init__(
        self,
        metrics: Metrics,
        shares: Callable[[], Mapping[str, float] | None],
        now_ms: Callable[[], int],
    ) -> None:
        self._metrics = metrics
        self._shares = shares
        self._now_ms = now_ms
        self._experiment = Experiment(shares())
        self._shown: set[str] = set()
        self._shown_at_ms = 0

    def restart(self) -> Experiment:
        """Start with an empty experiment, for other partitions, and return it to be filled."""
        self._experiment = Experiment(self._shares())
        return self._experiment

    def see(self, lesson: Lesson) -> None:
        """Count a lesson; set the gauges every few seconds."""
        self._experiment.see(lesson)
        now_ms = self._now_ms()
        if now_ms - self._shown_at_ms >= _SHOW_EVERY_MS:
            self._shown_at_ms = now_ms
            self.show()

    def after(
        self, on_lesson: Callable[[Lesson, object], None]
    ) -> Callable[[Lesson, object], None]:
        """Return what notes a lesson with `on_lesson`, then counts it here."""

        def note(lesson: Lesson, progress: object) -> None:
            on_lesson(lesson, progress)
            self.see(lesson)

        return note

    def show(self) -> None:
        """Set the gauges."""
        metrics, ledger = self._metrics, self._experiment.ledger
        for arm in ARMS:
            sums = ledger.sums(OVERALL, arm)
            metrics.set(m.EXPERIMENT_CUSTOMERS, float(sums.decisions.sum()), arm)
            metrics.set(m.EXPERIMENT_CONVERSIONS, float(sums.conversions.sum()), arm)
        split = self._experiment.split
        metrics.set(m.SAMPLE_RATIO_MISMATCH, float(split is not None and split.alarm))
        shown = set()
        for found in self._experiment.uplifts(_TREATED_OVER_HOLDOUT, ("overall", "family")):
            if found.evaluable:
                family = found.name or ALL_FAMILIES
                metrics.set(m.UPLIFT, found.relative.value, family)
                metrics.set(m.UPLIFT_LOW, found.relative.low, family)
                metrics.set(m.UPLIFT_HIGH, found.relative.high, family)
                shown.add(family)
        for family in self._shown - shown:
            for gauge in (m.UPLIFT, m.UPLIFT_LOW, m.UPLIFT_HIGH):
                metrics.remove(gauge, family)
        self._shown = shown
