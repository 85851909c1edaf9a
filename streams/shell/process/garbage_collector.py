"""Settings of Python's cycle collector for a worker.

A worker holds a million objects without reference cycles: state, records and outputs are trees, and
reference counting frees them. By default the collector would scan all of them every few batches,
which takes a fifth of the time, in pauses of up to 100 ms.
"""

from __future__ import annotations

import asyncio
import gc

# New objects before a collection of the youngest generation; it takes a few milliseconds.
_YOUNG = 20_000
# Collections of the youngest before one of the middle generation. With more, a million survivors
# would be scanned at once, in a third of a second.
_MIDDLE = 1
# Collections of the middle before a full one: almost never, because `collect_hourly` does it.
_OLD = 2_500
# Exceptions and closed clients do make cycles; they are freed within the hour.
_ALL_EVERY_S = 3_600.0


def tune_garbage_collector() -> None:
    """Exempt all objects that exist now, and collect later ones rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)


async def collect_hourly() -> None:
    """Collect all generations once an hour; half a second with 100,000 decoded customers."""
    while True:
        await asyncio.sleep(_ALL_EVERY_S)
        gc.collect()
