"""Creates labelled series at 0, before anything is counted.

Prometheus sees a labelled series from its first value on, and `increase()` over a series that
begins at 5 is 0. So an alert on the first occurrence would not fire. These tables name, for every
labelled counter and histogram, the label values that are known in advance. Those from our own
tables are created when the worker starts (`create_known_series`), those from a catalogue when that
catalogue is read (`create_catalogue_series`).

Gauges are not created. A gauge at 0 is a measurement (no lag, an AUC of 0), and an alert on a gauge
needs no step from 0.

The tables are not in `metrics.py`, because the declarations do not depend on catalogues. A test
checks that they cover every labelled metric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import product

from models.lesson_result import RefusalReason
from schemas.reasons import REASONS
from schemas.symbols import OUTCOME_KINDS
from schemas.topics import INPUTS, TIMELINE, TOPICS
from streams.core.catalogue.values import NO_ACTION, TIERS, Catalogue
from streams.core.moments import MOMENTS
from streams.shell.settings.settings import ROLES
from streams.shell.telemetry import metrics as m
from streams.shell.telemetry.metrics import MetricDeclaration, Metrics

# Label values, one tuple for each series.
Rows = Iterable[tuple[str, ...]]

_INPUTS = tuple(topic.name for topic in INPUTS)
# The tiers by which the funnel drops candidates.
_TIERS = (*TIERS, "reach", "time", "contact", "volume", "slate", "service")
# What the engine counts for timeline records.
_FATES = (
    *("folded", "folded_without_money", "tick", "switch"),
    *("already_applied", "replayed", "duplicate", "erased"),
)
_SAME_OR_NOT = ("same", "another")


def _each_of(*columns: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(product(*columns))


# Topics without the prefix of the installation.
KNOWN_SERIES: Mapping[MetricDeclaration, Rows] = {
    m.EVENTS: _each_of(_INPUTS, ("admitted", "refused")),
    m.DEAD_LETTERS: _each_of(_INPUTS, REASONS),
    m.TIMELINE_RECORDS: _each_of(_FATES),
    m.MOMENTS: _each_of(MOMENTS),
    m.DECISIONS: _each_of(MOMENTS),
    m.NO_ACTION: _each_of(MOMENTS),
    m.DROPPED: _each_of(_TIERS),
    m.SHADOW_VALUE: _each_of(("real", "shadow")),
    m.CHALLENGED: _each_of(_SAME_OR_NOT),
    m.OUTCOMES: _each_of(OUTCOME_KINDS),
    m.OUTCOMES_UNMATCHED: _each_of(OUTCOME_KINDS),
    m.LESSONS_REFUSED: _each_of(RefusalReason),
    m.RECOVERED: _each_of(("decide",)),
    m.SNAPSHOTS_REFUSED: _each_of(("damaged", "features", "foreign")),
    m.CHECKPOINT: _each_of(ROLES),
    m.CUT_PAUSE: _each_of(ROLES),
    m.RECOVERY: _each_of(ROLES),
}
# Topics with the prefix of the installation.
TOPIC_SERIES: Mapping[MetricDeclaration, Callable[[str], Rows]] = {
    m.RECORDS_LOST: lambda prefix: [
        (t.with_prefix(prefix).name,) for t in TOPICS if t.may_be_missed
    ],
    # Decide refuses timeline records that it cannot decode.
    m.EVENTS: lambda prefix: [(TIMELINE.with_prefix(prefix).name, "refused")],
    m.DEAD_LETTERS: lambda prefix: [(TIMELINE.with_prefix(prefix).name, "malformed")],
}


def _per_action(*columns: Iterable[str]) -> Callable[[Catalogue], Rows]:
    return lambda catalogue: _each_of([action.id for action in catalogue.actions], *columns)


def _treatments(catalogue: Catalogue) -> Rows:
    return {
        (action.id, treatment.channel)
        for action in catalogue.actions
        if not action.shadow
        for treatment in action.treatments
    }


def _trials(catalogue: Catalogue) -> Rows:
    if not any(action.shadow for action in catalogue.actions):
        return ()
    # The choice with the trial may be any action, or no_action.
    return _each_of([*(action.id for action in catalogue.actions), NO_ACTION], _SAME_OR_NOT)


def _models(catalogue: Catalogue) -> Rows:
    names = (catalogue.scored_by, catalogue.challenged_by)
    return [(name,) for name in names if name is not None]


CATALOGUE_SERIES: Mapping[MetricDeclaration, Callable[[Catalogue], Rows]] = {
    m.ACTIONS: _treatments,
    m.SHADOW: _trials,
    m.LESSONS: _per_action(("0", "1")),
    m.DRIFTS: _per_action(),
    m.MODEL_VERSIONS: _models,
}

# Too many label values to create (topics x fields x reasons). An alert on these would miss the
# first occurrence.
NOT_CREATED = (m.DROPPED_FIELDS,)


def create_known_series(metrics: Metrics, prefix: str = "") -> Metrics:
    """Create at 0 every series that is known when a worker starts; return `metrics`."""
    for metric, rows in KNOWN_SERIES.items():
        _create(metrics, metric, rows)
    for metric, rows_with in TOPIC_SERIES.items():
        _create(metrics, metric, rows_with(prefix))
    return metrics


def create_catalogue_series(metrics: Metrics, catalogue: Catalogue) -> None:
    """Create at 0 the series that a catalogue's actions and models will have."""
    for metric, rows_of in CATALOGUE_SERIES.items():
        _create(metrics, metric, rows_of(catalogue))


def _create(metrics: Metrics, metric: MetricDeclaration, rows: Rows) -> None:
    for labels in rows:
        if metric.kind == "counter":
            metrics.add(metric, 0, *labels)
        else:
            metrics.observe(metric, (), *labels)
