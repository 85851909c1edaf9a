"""The experiment's metrics: counted by the learn role, and again when partitions are assigned."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from threading import Event
from typing import Any

from models.evaluation.experiment import Experiment, intended_split
from schemas.records import LESSON_DECODER
from schemas.topics import LESSONS
from streams.agents.uplift_metrics import UpliftMeter
from streams.shell.kafka.newest_offsets import offsets_of_newest
from streams.shell.kafka.topic_reader import in_thread, read_to_end
from streams.shell.wall_clock import now_ms
from streams.worker.shared import Shared

# About ten seconds of reading when a worker starts. Older lessons do not count then.
_MOST_RECOUNTED = 1_000_000


def uplift_meter(shared: Shared) -> UpliftMeter:
    """Return a meter that finds the intended split in the catalogue file of the settings."""
    file = shared.catalogue_file()

    def shares() -> Mapping[str, float] | None:
        arms = file.catalogue().arms
        return intended_split(arms.holdout, 1.0 - arms.holdout - arms.random - arms.model_only)

    return UpliftMeter(shared.metrics, shares, now_ms)


def recounting(shared: Shared, meter: UpliftMeter) -> Callable[[Collection[int]], Awaitable[None]]:
    """Return what counts the newest lessons of partitions again, up to their present end."""

    async def recount(partitions: Collection[int]) -> None:
        work = partial(
            _count, shared.client, shared.name(LESSONS), sorted(partitions), meter.restart()
        )
        await in_thread(work)
        meter.show()

    return recount


def _count(
    client: Mapping[str, Any],
    topic: str,
    partitions: list[int],
    experiment: Experiment,
    give_up: Event,
) -> None:
    starts = offsets_of_newest(client, topic, partitions, _MOST_RECOUNTED)
    for messages in read_to_end(client, topic, partitions, give_up, starts):
        for message in messages:
            experiment.see(LESSON_DECODER.decode(message.value() or b""))
