"""When Python looks for garbage: a worker holds a million objects that live, and makes no cycles.

State, records and outputs are trees, freed the moment they are let go. The cycle collector finds
nothing in them, but by default it walks all of them every few batches: a fifth of a worker's time,
in pauses of up to 100 ms.
"""

from __future__ import annotations

import gc

# New objects before the youngest are looked at: some batches' worth, a few milliseconds' walk.
_YOUNG = 20_000
# So many of those before the survivors are looked at once more and then left alone: with many, a
# million of them would be walked at once, in a third of a second.
_MIDDLE = 1
# So many of these before everything is. Exceptions and closed clients do make cycles: they wait
# for minutes, not for ever.
_OLD = 2_500


def look_for_garbage_seldom() -> None:
    """Take all that exists now for permanent, and look through what comes only now and then."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
