"""What a snapshot holds: plain arrays, so that reading one needs neither River nor pickle."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from models.backoff import PipelineKey
from models.calibration import Calibration
from models.drift import Watch
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
    """Everything a `models.learning.bank.Bank` is, at one place in its lessons topic.

    Lessons of `lessons_partition` below `next_lesson_offset` are learned; learning goes on there.
    The scaler's arrays are little-endian float64, one number per feature, like the pipelines'.

    >>> Snapshot(model="offers", version=version_of(7), learner="logistic", prior=0.05,
    ...     feature_version="v1", feature_names=[], lessons_partition=0, next_lesson_offset=7,
    ...     scaler_counts=b"", scaler_means=b"", scaler_variances=b"", pipelines=[],
    ...     taught={}, overall=Quality(), quality={}, refused={}).version
    '000000000007'
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
    taught: dict[int, tuple[int, int, int, str]]
    overall: Quality
    quality: dict[str, Quality]
    refused: dict[str, int]
    watches: dict[str, Watch] = {}
    calibration: Calibration = msgspec.field(default_factory=Calibration)


def version_of(next_lesson_offset: int) -> str:
    """Return the version of a model that has learned all lessons below the offset.

    >>> version_of(1200)
    '000000001200'
    """
    version = f"{next_lesson_offset:0{VERSION_DIGITS}d}"
    if next_lesson_offset < 0 or len(version) > VERSION_DIGITS:
        raise ValueError(f"lesson offset {next_lesson_offset} is outside 0..10^{VERSION_DIGITS}-1")
    return version


def pack(numbers: Sequence[float] | Floats) -> bytes:
    """Return the numbers as little-endian float64."""
    return np.asarray(numbers, dtype="<f8").tobytes()


def unpack(block: bytes) -> Floats:
    """Return what `pack` packed; the array cannot be written to."""
    return np.frombuffer(block, dtype="<f8").astype(np.float64, copy=False)
