"""Snapshots as bytes: checked on the way in, so that only a whole and sound one is ever used.

Layout: 4 bytes magic, 2 bytes format version, 4 bytes CRC-32 of the rest (both big-endian), then
zlib-compressed MessagePack of `models.snapshot.snapshot_record.Snapshot`.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator

import msgspec
import numpy as np

from models.backoff import LEVELS, MOST_PIPELINES
from models.drift import Watch
from models.quality import BINS, Quality
from models.snapshot.snapshot_record import (
    VERSION_DIGITS,
    Snapshot,
    SnapshotError,
    unpack,
    version_of,
)

MAGIC = b"CNBS"
FORMAT = 1
# 5,000 pipelines of 500 features unpack to 50 MB; whatever claims more than this is no snapshot.
LARGEST_BYTES = 256 * 1024 * 1024
# Little of a snapshot repeats but zeros, which the fastest level finds as well as the best.
COMPRESSION_LEVEL = 1

_HEAD = struct.Struct(">4sHI")
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Snapshot)
_ADVICE = "use an older snapshot of the model, or remove it to learn afresh from the lessons"


def encode(snapshot: Snapshot) -> bytes:
    """Return the snapshot as bytes; equal snapshots give equal bytes."""
    body = zlib.compress(_ENCODER.encode(snapshot), COMPRESSION_LEVEL)
    return _HEAD.pack(MAGIC, FORMAT, zlib.crc32(body)) + body


def decode(data: bytes) -> Snapshot:
    """Return the snapshot that `encode` wrote.

    Raises `SnapshotError` for anything else: foreign, cut short, altered, of another format
    version, or inconsistent in itself.
    """
    if len(data) < _HEAD.size or data[: len(MAGIC)] != MAGIC:
        raise SnapshotError(
            f"these {len(data)} bytes are no model snapshot (they do not begin with {MAGIC!r}): "
            "check that the topic is the one snapshots are written to"
        )
    _, version, checksum = _HEAD.unpack_from(data)
    if version != FORMAT:
        raise SnapshotError(
            f"the model snapshot has format {version} and this program reads {FORMAT}: "
            "run the program that wrote it, or remove it to learn afresh from the lessons"
        )
    body = data[_HEAD.size :]
    if zlib.crc32(body) != checksum:
        raise SnapshotError(f"the model snapshot is damaged or cut short: {_ADVICE}")
    try:
        snapshot = _DECODER.decode(_inflate(body))
    except (msgspec.MsgspecError, zlib.error, UnicodeDecodeError) as error:
        raise SnapshotError(f"the model snapshot cannot be read ({error}): {_ADVICE}") from error
    for problem in _problems(snapshot):
        raise SnapshotError(
            f"snapshot {snapshot.model}@{snapshot.version} contradicts itself ({problem}): "
            f"{_ADVICE}"
        )
    return snapshot


def _inflate(body: bytes) -> bytes:
    inflater = zlib.decompressobj()
    data = inflater.decompress(body, LARGEST_BYTES)
    if not inflater.eof or inflater.unused_data:
        raise zlib.error(f"it is not one whole block of at most {LARGEST_BYTES} bytes")
    return data


def _problems(snapshot: Snapshot) -> Iterator[str]:
    offset = snapshot.next_lesson_offset
    width = len(snapshot.feature_names)
    if not 0 <= offset < 10**VERSION_DIGITS or snapshot.lessons_partition < 0:
        yield "an offset or partition out of range"
    elif snapshot.version != version_of(offset):
        yield f"the version is not that of lesson offset {offset}"
    if not 0.0 < snapshot.prior < 1.0:
        yield f"prior {snapshot.prior} is not between 0 and 1"
    if len(set(snapshot.feature_names)) != width:
        yield "a feature name occurs twice"
    for name, block in _scaler_blocks(snapshot):
        yield from _block_problems(name, block, width, least=None if name == "means" else 0.0)
    if len(snapshot.pipelines) > MOST_PIPELINES:
        yield f"more than {MOST_PIPELINES} pipelines"
    if len({state.key for state in snapshot.pipelines}) != len(snapshot.pipelines):
        yield "a pipeline occurs twice"
    for state in snapshot.pipelines:
        where = f"pipeline {state.level} {state.name!r}"
        if state.level not in LEVELS or state.lessons < 0 or not math.isfinite(state.intercept):
            yield f"{where}: unknown level, negative lessons or an intercept that is not finite"
        yield from _block_problems(f"{where}: weights", state.weights, width, least=None)
        squared = state.squared_gradients
        yield from _block_problems(f"{where}: squared gradients", squared, width, least=0.0)
    for quality in (snapshot.overall, *snapshot.quality.values()):
        yield from _quality_problems(quality)
    for watch in snapshot.watches.values():
        yield from _watch_problems(watch)
    if not snapshot.calibration.is_sound:
        yield "a calibration out of range"


def _scaler_blocks(snapshot: Snapshot) -> tuple[tuple[str, bytes], ...]:
    return (
        ("counts", snapshot.scaler_counts),
        ("means", snapshot.scaler_means),
        ("variances", snapshot.scaler_variances),
    )


def _block_problems(name: str, block: bytes, width: int, least: float | None) -> Iterator[str]:
    if len(block) != 8 * width:
        yield f"{name}: {len(block)} bytes for {width} features"
        return
    numbers = unpack(block)
    if not np.isfinite(numbers).all() or (least is not None and (numbers < least).any()):
        yield f"{name}: a number is not finite or below its least value"


def _watch_problems(watch: Watch) -> Iterator[str]:
    window = watch.window
    sums = (window.total, window.spread)
    rows = [*zip(window.totals, window.spreads, strict=False)]
    if len(window.totals) != len(window.spreads) or any(len(t) != len(s) for t, s in rows):
        yield "a window whose rows do not fit"
    elif window.size != sum(len(totals) << row for row, (totals, _) in enumerate(rows)):
        yield "a window that is not as long as it says"
    elif not math.isfinite(sum(map(sum, (*window.totals, *window.spreads, sums)))):
        yield "a window that is not finite"
    if min(watch.began_at, watch.lessons, watch.drifts, window.seen) < 0 or watch.since < -1:
        yield "a watch with a negative count"


def _quality_problems(quality: Quality) -> Iterator[str]:
    if not (len(quality.rewarded) == len(quality.unrewarded) == len(quality.predicted_sum) == BINS):
        yield f"quality without its {BINS} bins"
    elif min(quality.rewarded) < 0 or min(quality.unrewarded) < 0:
        yield "quality with a negative count"
    elif not math.isfinite(quality.log_loss_sum + sum(quality.predicted_sum)):
        yield "quality that is not finite"
