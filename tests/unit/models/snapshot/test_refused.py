"""A snapshot that cannot be used is told, counted and passed over by those who read it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from prometheus_client import generate_latest

from models.learning.capture import take
from models.protocol import ActionKey
from models.snapshot.snapshot_codec import decode, encode
from models.snapshot.snapshot_record import version_of
from streams.shell.telemetry.metrics import Metrics
from streams.worker.new_models import new_model
from streams.worker.published_snapshots import Snapshots

_FAR = 10**9
_ACTIONS = [ActionKey("gift", None, "sell")]


def _sound() -> bytes:
    model = new_model("main", 2)
    model.next_lesson_offset = 7
    return encode(take(model))


def _changed(data: bytes, **fields: object) -> bytes:
    return encode(msgspec.structs.replace(decode(data), **fields))


def _another_model(data: bytes) -> bytes:
    return _changed(data, model="another")


def _ahead(data: bytes) -> bytes:
    return _changed(data, next_lesson_offset=_FAR, version=version_of(_FAR))


def _of_old_features(data: bytes) -> bytes:
    return _changed(data, feature_version="of old")


_DAMAGED: list[Callable[[bytes], bytes]] = [
    lambda data: b"garbage",
    lambda data: data[: len(data) // 2],
    lambda data: data[:-1] + bytes([data[-1] ^ 1]),
]


def _snapshots(metrics: Metrics) -> Snapshots:
    found = Snapshots(metrics)
    found.ends = {2: 9}
    return found


def _counted(metrics: Metrics, reason: str) -> bool:
    exposed = generate_latest(metrics.registry).decode()
    return f'concierge_snapshots_refused_total{{reason="{reason}"}} 1.0' in exposed


def test_a_sound_snapshot_is_used() -> None:
    snapshots = _snapshots(Metrics())
    bank = snapshots.bank("main", _sound())
    assert bank is not None
    assert bank.next_lesson_offset == 7
    assert snapshots.scorer("main", "1", _sound(), _ACTIONS) is not None


@pytest.mark.parametrize("damage", _DAMAGED, ids=["garbage", "cut_short", "a_bit_flipped"])
def test_a_damaged_one_is_used_by_nobody(
    damage: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics()
    snapshots = _snapshots(metrics)
    assert snapshots.bank("main", damage(_sound())) is None
    assert _counted(metrics, "damaged")
    assert snapshots.scorer("main", "1", damage(_sound()), _ACTIONS) is None
    assert "a snapshot of model main is not used" in caplog.text


def test_another_models_is_used_by_nobody() -> None:
    metrics = Metrics()
    snapshots = _snapshots(metrics)
    assert snapshots.bank("main", _another_model(_sound())) is None
    assert _counted(metrics, "foreign")
    assert snapshots.scorer("main", "1", _another_model(_sound()), _ACTIONS) is None


def test_one_that_has_learned_more_lessons_than_there_are_is_another_installations(
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics = Metrics()
    assert _snapshots(metrics).bank("main", _ahead(_sound())) is None
    assert _counted(metrics, "foreign")
    assert f"more lessons than there are ({9})" in caplog.text


def test_one_of_other_features_is_learned_afresh_behind_its_lessons() -> None:
    metrics = Metrics()
    bank = _snapshots(metrics).bank("main", _of_old_features(_sound()))
    assert bank is not None
    assert (bank.next_lesson_offset, bank.lessons_partition) == (7, 2)
    assert _counted(metrics, "features")
