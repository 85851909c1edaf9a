"""Declarations of all metrics, and `Metrics`, which counts them.

`metrics.add(EVENTS, 3, "clickstream", "admitted")`. Base units only (seconds, bytes, totals).
Labels come from our own tables (topics, reasons, the catalogue), never from a customer. A metric
has at most `MAX_SERIES_PER_METRIC` series; further label values are counted as "other".
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
)

from streams.shell.telemetry.declared_metric import MetricDeclaration as MetricDeclaration
from streams.shell.telemetry.declared_metric import counter as _counter
from streams.shell.telemetry.declared_metric import gauge as _gauge
from streams.shell.telemetry.declared_metric import histogram as _histogram
from streams.shell.telemetry.histogram import Histogram

# Enough for a catalogue of 1,000 actions on 4 channels.
MAX_SERIES_PER_METRIC = 4_000
OVERFLOW_LABEL = "other"

# From a record that was fetched at once to one that waited for a worker.
_LATENCY_S = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60, 600, 3_600)
_STEP_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_RECOVERY_S = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600)
# A usual state is below 1 KiB, the limit is `MAX_STATE_BYTES` of streams.core.state.layout.
_STATE_BYTES = (128, 256, 512, 768, 1_024, 1_536, 2_048, 4_096, 8_192, 16_384)


EVENTS = _counter("events", "Input records, by what became of them.", "topic", "fate")
DEAD_LETTERS = _counter("dead_letters", "Refused input records, by reason code.", "topic", "reason")
DROPPED_FIELDS = _counter(
    "dropped_fields",
    "Invalid fields that were dropped from admitted events (opt-outs, and placeholders for ids).",
    *("topic", "field", "reason"),
)
TIMELINE_RECORDS = _counter("timeline_records", "Timeline records, by what became of them.", "fate")
MOMENTS = _counter("moments", "Moments of customers, whether or not a decision was made.", "moment")
DECISIONS = _counter("decisions", "Decisions made, published or not.", "moment")
ACTIONS = _counter("actions", "Next-best-actions published.", "action", "channel")
NO_ACTION = _counter("no_action", "Decisions whose choice was to do nothing.", "moment")
DROPPED = _counter("dropped_candidates", "Candidates dropped from a funnel, by tier.", "tier")
SHADOW = _counter(
    "shadow_decisions",
    "Decisions in which an action on trial took part, by what would have been chosen with it: the "
    "same or another.",
    *("action", "fate"),
)
SHADOW_VALUE = _counter(
    "shadow_value",
    "Sum of the priorities of what was chosen (real) and would have been chosen (shadow) there.",
    "kind",
)
CHALLENGED = _counter(
    "challenged_decisions",
    "Decisions beside which a challenger decided, by what it would have chosen: the same or "
    "another.",
    "fate",
)
OUTCOMES = _counter("outcomes", "Outcomes that met their decision.", "kind")
OUTCOMES_UNMATCHED = _counter(
    "outcomes_unmatched", "Outcomes whose decision is unknown or long settled.", "kind"
)
MODEL_VERSIONS = _counter("model_versions", "Model versions published.", "model")
LESSONS = _counter("lessons", "Lessons learned, by label: 1 rewarded, 0 not.", "action", "label")
DRIFTS = _counter(
    "model_drifts",
    "Drift alarms: an action's response rate left the predictions.",
    "action",
)
LESSONS_REFUSED = _counter("lessons_refused", "Lessons not learned, by reason.", "reason")
MODEL_LESSONS = _gauge("model_lessons", "Lessons inside the model version in use.", "model")
MODEL_LOG_LOSS = _gauge("model_log_loss", "Progressive log-loss; lower is better.", "action")
MODEL_AUC = _gauge("model_auc_ratio", "Progressive area under the ROC curve, 0 to 1.", "action")
MODEL_CALIBRATION = _gauge(
    "model_calibration_error_ratio", "Progressive expected calibration error, 0 to 1.", "action"
)

EXPERIMENT_CUSTOMERS = _gauge(
    "experiment_customers", "Customers whose first decision is settled, by experiment arm.", "arm"
)
EXPERIMENT_CONVERSIONS = _gauge(
    "experiment_conversions", "Those of them who bought within its window.", "arm"
)
UPLIFT = _gauge(
    "personalization_uplift_ratio",
    'Conversion rate of the treated over that of the held-out, less 1; family "all" is everything.',
    "family",
)
UPLIFT_LOW = _gauge(
    "personalization_uplift_low_ratio", "Low end of its interval, valid at every look.", "family"
)
UPLIFT_HIGH = _gauge(
    "personalization_uplift_high_ratio", "High end of its interval, valid at every look.", "family"
)
SAMPLE_RATIO_MISMATCH = _gauge(
    "sample_ratio_mismatch", "1 once customers are not split into arms as the catalogue says."
)

EVENT_TO_ACTION = _histogram(
    "event_to_action_seconds",
    "From an event's arrival in Kafka (on topics that producers stamp: at intake) to its action.",
    _LATENCY_S,
)
CHECKPOINT = _histogram(
    "checkpoint_seconds", "A whole checkpoint, from the cut to the commit.", _STEP_S, "role"
)
CHECKPOINT_AT = _gauge(
    "checkpoint_timestamp_seconds", "Unix time of the last checkpoint, else of the start.", "role"
)
CUT_PAUSE = _histogram(
    "cut_pause_seconds", "How long processing paused for a checkpoint.", _STEP_S, "role"
)
RECOVERY = _histogram(
    "recovery_seconds", "Reading state back after partitions were assigned.", _RECOVERY_S, "role"
)
RECOVERED = _counter("recovered_records", "Changelog records read back.", "role")

BROKERS_AT = _gauge(
    "brokers_answered_timestamp_seconds",
    "Unix time of the last answer from the brokers.",
)
RECORDS_LOST = _counter(
    "records_lost", "Records that retention removed before they were read.", "topic"
)
SNAPSHOTS_REFUSED = _counter(
    "snapshots_refused", "Model snapshots that could not be used, by reason.", "reason"
)
CATALOGUES_TAKEN = _counter("catalogue_changes", "Changed catalogues that came into use.")
CATALOGUE_BROKEN = _gauge(
    "catalogue_file_broken",
    "1 while the catalogue file cannot be used and the last good one stays.",
)

LAG = _gauge("lag_records", "Records that can be read and were not yet.", "topic", "partition")
HELD_BACK = _gauge(
    "held_back_seconds", "How long an open transaction has held records.", "topic", "partition"
)
TICK_AT = _gauge("tick_timestamp_seconds", "The time in the last tick (Unix time).")
STATE_BYTES = _histogram("state_bytes", "Encoded state of a changed customer.", _STATE_BYTES)
CUSTOMERS = _gauge("customers", "Customers whose state this worker holds.")
BUILD_INFO = _gauge(
    "build_info",
    "Always 1: the release, and the catalogue and model versions of the newest decision made here.",
    *("version", "catalogue", "model"),
)

METRICS = tuple(each for each in tuple(globals().values()) if isinstance(each, MetricDeclaration))


class Metrics:
    """The worker's metrics in one registry; each method takes a declaration, a value and labels.

    Labels go in the declared order. Safe to call from any thread.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = CollectorRegistry() if registry is None else registry
        # Otherwise each counter gets a second series, `_created`.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # untyped upstream
        ProcessCollector(registry=self.registry)
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        self._seen: dict[str, set[tuple[str, ...]]] = {each.name: set() for each in METRICS}
        for each in METRICS:
            self._build(each)

    def add(self, metric: MetricDeclaration, count: float, *labels: str) -> None:
        """Add to a counter; `count` >= 0."""
        counter = self._counters[metric.name]
        (counter.labels(*self._bounded(metric, labels)) if metric.labels else counter).inc(count)

    def set(self, metric: MetricDeclaration, value: float, *labels: str) -> None:
        """Set a gauge."""
        gauge = self._gauges[metric.name]
        (gauge.labels(*self._bounded(metric, labels)) if metric.labels else gauge).set(value)

    def observe(self, metric: MetricDeclaration, values: Iterable[float], *labels: str) -> None:
        """Add values to a histogram, in the metric's unit."""
        self._histograms[metric.name].observe(values, *self._bounded(metric, labels))

    def remove(self, metric: MetricDeclaration, *labels: str) -> None:
        """Remove one series of a gauge, such as the lag of a partition that was revoked."""
        if labels in self._seen[metric.name]:
            self._seen[metric.name].discard(labels)
            self._gauges[metric.name].remove(*labels)

    def _build(self, each: MetricDeclaration) -> None:
        if each.kind == "counter":
            self._counters[each.name] = Counter(
                each.name, each.help, each.labels, registry=self.registry
            )
        elif each.kind == "gauge":
            self._gauges[each.name] = Gauge(
                each.name, each.help, each.labels, registry=self.registry
            )
        else:
            histogram = Histogram(each.name, each.help, each.labels, each.buckets)
            self._histograms[each.name] = histogram
            self.registry.register(histogram)

    def _bounded(self, metric: MetricDeclaration, labels: tuple[str, ...]) -> tuple[str, ...]:
        seen = self._seen[metric.name]
        if labels in seen:
            return labels
        if len(seen) >= MAX_SERIES_PER_METRIC:
            return (OVERFLOW_LABEL,) * len(labels)
        seen.add(labels)
        return labels


def metrics_table() -> str:
    """Return all metrics as a Markdown table, for the docs."""
    rows = ["| metric | kind | labels | what it tells |", "|---|---|---|---|"]
    rows += [
        f"| `{each.name}` | {each.kind} | {', '.join(each.labels)} | {each.help} |"
        for each in METRICS
    ]
    return "\n".join(rows)
