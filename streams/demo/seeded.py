"""Seeded chance: the same names draw the same numbers, in any order and on any machine."""

from __future__ import annotations

from random import Random


def chance(seed: int, *names: object) -> Random:
    """Return a stream of random numbers of its own for (seed, names).

    Python seeds from a text with SHA-512, so neighbouring names share nothing.
    """
    return Random("|".join([str(seed), *map(str, names)]))


def normal(seed: int, *names: object) -> float:
    """Return one standard normal draw for (seed, names)."""
    return chance(seed, *names).gauss(0.0, 1.0)
