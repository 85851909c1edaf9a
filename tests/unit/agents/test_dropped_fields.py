"""A wrong field that was left out of an event is counted, and logged without a flood."""

from __future__ import annotations

import asyncio
import logging

import pytest

from schemas.bundled import bundled_schemas
from schemas.records import TIMELINE_DECODER, Origin, Profile
from schemas.wire import encode_event
from streams.agents.dead_letter_outlet import DeadLetterRate, DeadLetters
from streams.agents.dropped_fields import LOG_AGAIN_AFTER_MS, DroppedFields
from streams.agents.intake import Intake, IntakeOptions
from streams.core.admission.opt_outs import Dropped
from streams.shell.telemetry.metrics import Metrics
from tests.unit.agents.agents_world import KeepingOutbox, chunk
from tests.unit.agents.test_intake import NOW_MS, FakeClock

ZONE = Dropped("time_zone", "unknown_symbol")
SAMPLE = "concierge_dropped_fields_total"


def counted(metrics: Metrics, field: str, reason: str) -> float | None:
    labels = {"topic": "profile", "field": field, "reason": reason}
    return metrics.registry.get_sample_value(SAMPLE, labels)


def test_a_withdrawal_with_a_flaw_goes_on_without_it_and_is_counted() -> None:
    metrics, outbox = Metrics(), KeepingOutbox()
    role = Intake(
        outbox,
        DeadLetters(outbox, DeadLetterRate(10, 60_000), lambda: NOW_MS, "1.0"),
        bundled_schemas(),
        FakeClock(),
        lambda: NOW_MS,
        IntakeOptions(),
        on_dropped_fields=DroppedFields(metrics, lambda: NOW_MS).note,
    )
    value = encode_event(
        "profile",
        {
            "event_id": "e1",
            "customer_id": "anna",
            "occurred_at": NOW_MS,
            "kind": "consent",
            "purpose": "marketing",
            "granted": False,
            "time_zone": "",
            "weight": float("nan"),
        },
    )
    asyncio.run(role.work(chunk("profile", [value])))
    (sent,) = outbox.published
    event = TIMELINE_DECODER.decode(sent.value or b"")
    assert isinstance(event, Profile)
    assert (event.granted, event.time_zone, event.weight) == (False, None, None)
    assert counted(metrics, "time_zone", "unknown_symbol") == 1
    assert counted(metrics, "weight", "not_finite") == 1


def test_a_mistake_made_again_and_again_is_logged_once_in_ten_minutes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now_ms, metrics = NOW_MS, Metrics()
    fields = DroppedFields(metrics, lambda: now_ms)
    with caplog.at_level(logging.WARNING, "concierge.intake"):
        for offset in range(1_000):
            fields.note(Origin("profile", 2, offset, NOW_MS), [ZONE])
        now_ms += LOG_AGAIN_AFTER_MS
        fields.note(Origin("profile", 2, 1_000, NOW_MS), [ZONE])
    assert [record.getMessage()[:75] for record in caplog.records] == [
        "profile/2 offset 0 was admitted without its time_zone (unknown_symbol); mor",
        "profile/2 offset 1000 was admitted without its time_zone (unknown_symbol); ",
    ]
    assert counted(metrics, *ZONE) == 1_001


def test_another_field_of_the_same_record_is_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    fields = DroppedFields(Metrics(), lambda: NOW_MS)
    with caplog.at_level(logging.WARNING, "concierge.intake"):
        fields.note(Origin("profile", 0, 0, NOW_MS), [ZONE, Dropped("weight", "not_finite")])
    assert len(caplog.records) == 2
