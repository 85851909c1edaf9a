"""Metrics are declared once, in base units, with labels that cannot grow or tell on anybody."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from streams.shell.telemetry import metrics as declared
from streams.shell.telemetry.declared_metric import MetricDeclaration
from streams.shell.telemetry.metrics import METRICS, Metrics, metrics_table
from tests.support.checkout import ROOT

# Bounded by tables of ours: topics and their fields, reason codes, the catalogue, partitions.
_BOUNDED_LABELS = {
    *("topic", "fate", "reason", "kind", "moment", "action", "channel", "tier", "label"),
    *("model", "role", "partition", "arm", "family", "field"),
    # Of build_info, which has one series at a time.
    *("version", "catalogue"),
}
_SUFFIXES = {"counter": ("_total",), "histogram": ("_seconds", "_bytes")}


def _all_set() -> Metrics:
    metrics = Metrics()
    for each in METRICS:
        labels = ["x" for _ in each.labels]
        if each.kind == "counter":
            metrics.add(each, 1, *labels)
        elif each.kind == "gauge":
            metrics.set(each, 1, *labels)
        else:
            metrics.observe(each, [1.0], *labels)
    return metrics


def test_every_declaration_is_in_the_table() -> None:
    constants = {value for value in vars(declared).values() if isinstance(value, MetricDeclaration)}
    assert constants == set(METRICS)
    assert len({each.name for each in METRICS}) == len(METRICS)


def test_every_metric_is_fed_somewhere() -> None:
    constants = {
        name for name, value in vars(declared).items() if isinstance(value, MetricDeclaration)
    }
    own = Path(declared.__file__)
    sources = [path for path in (ROOT / "streams").rglob("*.py") if path != own]
    words = {
        word for path in sources for word in re.findall(r"\b[A-Z_]+\b", path.read_text("utf-8"))
    }
    assert constants - words == set()


@pytest.mark.parametrize("each", METRICS, ids=lambda each: each.name)
def test_a_metric_is_named_in_base_units_and_says_what_it_tells(each: MetricDeclaration) -> None:
    assert each.name.startswith("concierge_")
    assert each.name.endswith(_SUFFIXES.get(each.kind, ("",)))
    assert not each.name.endswith(("_ms", "_milliseconds", "_kib", "_percent"))
    assert each.help.endswith(".")
    assert list(each.buckets) == sorted(set(each.buckets))


@pytest.mark.parametrize("each", METRICS, ids=lambda each: each.name)
def test_no_label_can_hold_a_customer(each: MetricDeclaration) -> None:
    assert set(each.labels) <= _BOUNDED_LABELS


def test_what_is_counted_is_exposed() -> None:
    metrics = Metrics()
    metrics.add(declared.EVENTS, 3, "clickstream", "admitted")
    metrics.set(declared.CUSTOMERS, 7)
    metrics.observe(declared.STATE_BYTES, [100, 20_000])
    text = generate_latest(metrics.registry).decode()
    assert 'concierge_events_total{fate="admitted",topic="clickstream"} 3.0' in text
    assert "concierge_customers 7.0" in text
    assert 'concierge_state_bytes_bucket{le="16384.0"} 1.0' in text
    assert 'concierge_state_bytes_bucket{le="+Inf"} 2.0' in text


def test_a_forgotten_series_is_gone() -> None:
    metrics = Metrics()
    metrics.set(declared.LAG, 5, "timeline", "0")
    metrics.remove(declared.LAG, "timeline", "0")
    metrics.remove(declared.LAG, "never seen", "0")
    assert 'topic="timeline"' not in generate_latest(metrics.registry).decode()


def test_labels_past_the_limit_share_one_series(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declared, "MAX_SERIES_PER_METRIC", 2)
    metrics = Metrics()
    for number in range(5):
        metrics.add(declared.NO_ACTION, 1, f"moment {number}")
    text = generate_latest(metrics.registry).decode()
    assert 'concierge_no_action_total{moment="other"} 3.0' in text
    assert text.count("concierge_no_action_total{") == 3


def test_the_table_for_people_has_every_metric() -> None:
    assert all(f"`{each.name}`" in metrics_table() for each in METRICS)


def test_prometheus_itself_finds_nothing_to_object_to() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    exposed = generate_latest(_all_set().registry)
    done = subprocess.run(
        [promtool, "check", "metrics"], input=exposed, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
