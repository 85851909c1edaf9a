"""Our histogram says what the client library's own would say of the same values."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, disable_created_metrics, generate_latest
from prometheus_client import Histogram as Reference

from streams.shell.telemetry.histogram import Histogram

BUCKETS = (0.5, 1, 2, 10)
# Sums of quarters are exact in any order.
VALUES = st.lists(st.integers(0, 60).map(lambda quarters: quarters / 4))


def pages(batches: list[tuple[str, list[float]]]) -> tuple[bytes, bytes]:
    disable_created_metrics()  # type: ignore[no-untyped-call]  # untyped upstream
    registry, reference = CollectorRegistry(), CollectorRegistry()
    ours = Histogram("h_seconds", "Some seconds.", ["role"], BUCKETS)
    registry.register(ours)
    known = Reference("h_seconds", "Some seconds.", ["role"], registry=reference, buckets=BUCKETS)
    for role, values in batches:
        ours.observe(values, role)
        for value in values or ():
            known.labels(role).observe(value)
        known.labels(role)
    return generate_latest(registry), generate_latest(reference)


@given(st.lists(st.tuples(st.sampled_from("abc"), VALUES)))
def test_a_batch_counts_like_its_values_one_by_one(batches: list[tuple[str, list[float]]]) -> None:
    found, expected = pages(batches)
    assert sorted(found.splitlines()) == sorted(expected.splitlines())


def test_without_labels_the_series_is_there_before_the_first_value() -> None:
    registry = CollectorRegistry()
    registry.register(Histogram("h_seconds", "Some seconds.", [], BUCKETS))
    assert b"h_seconds_count 0.0" in generate_latest(registry)
