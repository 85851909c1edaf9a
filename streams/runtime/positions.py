"""Where to start reading a partition, and when that place can no longer be trusted."""

from __future__ import annotations

from collections.abc import Mapping

from streams.runtime.chunk import Place


class RecordsLost(Exception):
    """Records that were not read yet are gone, or the topic is not the one that was read."""

    def __init__(self, place: Place, wanted: int, first: int) -> None:
        super().__init__(
            f"{place.topic}/{place.partition}: offset {wanted} was to be read next, but the "
            f"partition's first offset is {first} (retention was shorter than the lag, or the "
            "topic was created anew). To go on without those records, set the group's offset by "
            "hand: kafka-consumer-groups --reset-offsets"
        )


def starting_points(
    committed: Mapping[Place, int | None], bounds: Mapping[Place, tuple[int, int]]
) -> dict[Place, int]:
    """Return each partition's next offset: the committed one, or the first where there is none.

    `bounds` holds (first offset, offset after the last). Raises `RecordsLost` where the committed
    offset is outside of them.
    """
    starts: dict[Place, int] = {}
    for place, offset in committed.items():
        first, after = bounds[place]
        if offset is None:
            starts[place] = first
        elif first <= offset <= after:
            starts[place] = offset
        else:
            raise RecordsLost(place, offset, first)
    return starts
