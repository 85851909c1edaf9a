"""All that a bank has learned, taken out as plain arrays and put back.

A bank restored from its snapshot goes on bit for bit like one that never stopped.
"""

from __future__ import annotations

from models.drift import Watch
from models.learning.bank import Bank
from models.learning.learners import LEARNERS, Learned, Scaling
from models.snapshot.snapshot_record import (
    PipelineState,
    Snapshot,
    SnapshotError,
    pack,
    unpack,
    version_of,
)

__all__ = ["Snapshot", "SnapshotError", "restore", "take", "version_of"]


def take(bank: Bank) -> Snapshot:
    """Return what the bank has learned, sharing nothing with it; equal banks give equal bytes."""
    scaling = bank.scaler.scaling
    pipelines = []
    for key in sorted(bank.classifiers):
        state = bank.classifiers.learned(key)
        pipelines.append(
            PipelineState(
                level=key.level,
                name=key.name,
                lessons=state.lessons,
                intercept=state.intercept,
                weights=pack(state.weights),
                squared_gradients=pack(state.squares),
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
        taught={partition: bank.taught[partition] for partition in sorted(bank.taught)},
        overall=bank.overall.copy(),
        quality={action: bank.quality[action].copy() for action in sorted(bank.quality)},
        refused={reason: bank.refused[reason] for reason in sorted(bank.refused)},
        watches={action: bank.watches[action].copy() for action in sorted(bank.watches)},
        calibration=bank.calibration.copy(),
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
    bank.taught = dict(snapshot.taught)
    bank.overall = snapshot.overall.copy()
    bank.quality = {action: quality.copy() for action, quality in snapshot.quality.items()}
    bank.refused = dict(snapshot.refused)
    # An older release watched nothing: what it knew was there from the beginning.
    older = {action: Watch(lessons=known.lessons) for action, known in bank.quality.items()}
    bank.watches = older | {name: watch.copy() for name, watch in snapshot.watches.items()}
    bank.calibration = snapshot.calibration.copy()
    arrays = (snapshot.scaler_counts, snapshot.scaler_means, snapshot.scaler_variances)
    bank.scaler.restore(Scaling(*map(unpack, arrays)))
    for state in snapshot.pipelines:
        weights, squares = unpack(state.weights), unpack(state.squared_gradients)
        bank.classifiers.restore(
            state.key, Learned(state.lessons, state.intercept, weights, squares)
        )
    return bank
