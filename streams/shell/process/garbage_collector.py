"""When Python looks for garbage: a worker holds a million objects that live, and makes no cycles.

State, records and outputs are trees, freed the moment they are let go. The cycle collector finds
nothing in them, but by default it walks all of them every few batches: a fifth of a worker's time,
in pauses of up to 100 ms.
"""

from __future__ import annotations

import asyncio
import gc

# New objects before the youngest are looked at: some batches' worth, a few milliseconds' walk.
_YOUNG = 20_000
# So many of those before the survivors are looked at once more and then left alone: with many, a
# million of them would be walked at once, in a third of a second.
_MIDDLE = 1
# So many of these before everything is: as good as never, for that is what `collect_hourly` is for.
_OLD = 2_500
# Exceptions and closed clients do make cycles: they wait for an hour, not for ever.
_ALL_EVERY_S = 3_600.0


def tune_garbage_collector() -> None:
    """Take all that exists now for permanent, and look through what comes only now and then."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)


async def collect_hourly() -> None:
    """Look through everything once an hour, for half a second with 100,000 decoded customers."""
    while True:
        await asyncio.sleep(_ALL_EVERY_S)
        gc.collect()
