"""All that a bank has learned, as plain arrays: what is published, and what survives a kill.

A bank restored from its snapshot goes on bit for bit like one that never stopped.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from models.backoff import PipelineKey
from models.bank import Bank
from models.learners import (
    LEARNERS,
    Scaling,
    Weights,
    parts,
    read_classifier,
    read_scaler,
    set_classifier,
    set_scaler,
)
from models.protocol import Floats
from models.quality import Quality

# Offsets fit in 63 bits, but a version must sort as text: 12 digits are 31 years at 1,000/s.
VERSION_DIGITS = 12


class SnapshotError(Exception):
    """A snapshot that cannot be used: says what is wrong with it and what to do."""


class PipelineState(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """What one pipeline has learned beyond the shared scaler.

    `weights` and `squared_gradients` (of AdaGrad) are little-endian float64, one per feature.

    >>> PipelineState(level="global", name="", lessons=0, intercept=0.0, weights=b"",
    ...     squared_gradients=b"").level
    'global'
    """

    level: str
    name: str
    lessons: int
    intercept: float
    weights: bytes
    squared_gradients: bytes

    @property
    def key(self) -> PipelineKey:
        """Under what the bank keeps the pipeline."""
        return PipelineKey(self.level, self.name)


class Snapshot(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """Everything a `Bank` is, at one place in its lessons topic.

    Lessons of `lessons_partition` below `next_lesson_offset` are learned; learning goes on there.
    The scaler's arrays are little-endian float64, one number per feature, like the pipelines'.

    >>> take(Bank("offers", "v1", ["visits"])).version
    '000000000000'
    """

    model: str
    version: str
    learner: str
    prior: float
    feature_version: str
    feature_names: list[str]
    lessons_partition: int
    next_lesson_offset: int
    scaler_counts: bytes
    scaler_means: bytes
    scaler_variances: bytes
    pipelines: list[PipelineState]
    overall: Quality
    quality: dict[str, Quality]
    refused: dict[str, int]


def version_of(next_lesson_offset: int) -> str:
    """Return the version of a model that has learned all lessons below the offset.

    >>> version_of(1200)
    '000000001200'
    """
    version = f"{next_lesson_offset:0{VERSION_DIGITS}d}"
    if next_lesson_offset < 0 or len(version) > VERSION_DIGITS:
        raise ValueError(f"lesson offset {next_lesson_offset} is outside 0..10^{VERSION_DIGITS}-1")
    return version


def take(bank: Bank) -> Snapshot:
    """Return what the bank has learned, sharing nothing with it; equal banks give equal bytes."""
    width = len(bank.feature_names)
    scaling = read_scaler(bank.scaler, width)
    pipelines = []
    for key in sorted(bank.classifiers):
        state = read_classifier(bank.classifiers[key], width)
        pipelines.append(
            PipelineState(
                level=key.level,
                name=key.name,
                lessons=state.lessons,
                intercept=state.intercept,
                weights=pack(state.weights),
                squared_gradients=pack(state.squared_gradients),
            )
        )
    return Snapshot(
        model=bank.name,
        version=version_of(bank.next_lesson_offset),
        learner=bank.learner,
        prior=bank.prior,
        feature_version=bank.feature_version,
        feature_names=list(bank.feature_names),
        lessons_partition=bank.lessons_partition,
        next_lesson_offset=bank.next_lesson_offset,
        scaler_counts=pack(scaling.counts),
        scaler_means=pack(scaling.means),
        scaler_variances=pack(scaling.variances),
        pipelines=pipelines,
        overall=bank.overall.copy(),
        quality={action: bank.quality[action].copy() for action in sorted(bank.quality)},
        refused={reason: bank.refused[reason] for reason in sorted(bank.refused)},
    )


def restore(snapshot: Snapshot) -> Bank:
    """Return a bank that goes on where the snapshot was taken; it shares nothing with it.

    Raises `SnapshotError` when the snapshot's learner is not one of this program's.
    """
    if snapshot.learner not in LEARNERS:
        raise SnapshotError(
            f"snapshot {snapshot.model}@{snapshot.version} was learned by {snapshot.learner!r}, "
            f"which this program lacks (it has {', '.join(LEARNERS)}): run the program that wrote "
            "it, or remove its snapshots to learn afresh"
        )
    bank = Bank(
        snapshot.model,
        snapshot.feature_version,
        snapshot.feature_names,
        prior=snapshot.prior,
        learner=snapshot.learner,
        lessons_partition=snapshot.lessons_partition,
    )
    bank.next_lesson_offset = snapshot.next_lesson_offset
    bank.overall = snapshot.overall.copy()
    bank.quality = {action: quality.copy() for action, quality in snapshot.quality.items()}
    bank.refused = dict(snapshot.refused)
    counts = [int(count) for count in unpack(snapshot.scaler_counts)]
    means, variances = unpack(snapshot.scaler_means), unpack(snapshot.scaler_variances)
    if any(counts):
        set_scaler(bank.scaler, Scaling(counts, means.tolist(), variances.tolist()))
    for state in snapshot.pipelines:
        _, classifier = parts(LEARNERS[snapshot.learner](snapshot.prior))
        weights, squared = unpack(state.weights), unpack(state.squared_gradients)
        learned = Weights(state.lessons, state.intercept, weights.tolist(), squared.tolist())
        set_classifier(classifier, learned)
        bank.classifiers[state.key] = classifier
    return bank


def pack(numbers: Sequence[float]) -> bytes:
    """Return the numbers as little-endian float64."""
    return np.asarray(numbers, dtype="<f8").tobytes()


def unpack(block: bytes) -> Floats:
    """Return what `pack` packed; the array cannot be written to."""
    return np.frombuffer(block, dtype="<f8").astype(np.float64, copy=False)
