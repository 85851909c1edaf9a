"""Chance as data: every draw is a hash, so the same log gives the same draws.

A customer's id is hashed once with blake2b; what follows is splitmix64 (Steele, Lea, Flood: Fast
Splittable Pseudorandom Number Generators, OOPSLA 2014), which is cheap in numpy. CRC32 is not
good enough: it is linear, so two salts can agree for every customer.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_11, _27, _30, _31 = np.uint64(11), np.uint64(27), np.uint64(30), np.uint64(31)
# Of a customer's recent events; what is kept of each is kept a million times.
SHORT_HASH_BYTES = 6


def id_hash(text: str) -> int:
    """Return 64 well-mixed bits of a text.

    >>> id_hash("ada") == id_hash("ada"), id_hash("ada") == id_hash("adb")
    (True, False)
    """
    return int.from_bytes(_digest(text), "little")


def short_hash(text: str) -> bytes:
    """Return some well-mixed bytes of a text: of fourteen, one in 2e13 others has one of them."""
    return _digest(text)[:SHORT_HASH_BYTES]


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=8).digest()


def text_number(text: str | None) -> float:
    """Return a text as a number a float64 holds exactly (52 bits of hash); 0 is none."""
    return 0.0 if text is None else float(id_hash(text) >> 12 or 1)


# For the names of a catalogue, which come again and again; ids would only push them out.
name_number = lru_cache(maxsize=4_096)(text_number)


@lru_cache(maxsize=4_096)
def family_number(family: str | None) -> int:
    """Return a family as the habits and the cart of a state keep it: 32 bits, 0 for none."""
    return 0 if family is None else id_hash(family) >> 32 or 1


def decision_id(customer: str, moment: str, trigger: str) -> str:
    """Return the id of a decision: derived from what caused it, so a replay repeats it.

    Its second half is a check by which anybody can tell whose decision it is.
    """
    cause = f"{customer}\x1f{moment}\x1f{trigger}"
    return _signed(blake2b(cause.encode(), digest_size=6).hexdigest(), customer)


def is_decision_for(customer: str, decision_id: str) -> bool:
    """Tell whether a decision id was made for this customer.

    >>> mine = decision_id("ada", "browsing", "0/7/5")
    >>> is_decision_for("ada", mine), is_decision_for("bob", mine), is_decision_for("ada", "x")
    (True, False, False)
    """
    return decision_id == _signed(decision_id[: len(decision_id) // 2], customer)


def _signed(cause: str, customer: str) -> str:
    return cause + blake2b(f"{cause}\x1f{customer}".encode(), digest_size=6).hexdigest()


def uniforms(ids: NDArray[np.uint64], salt: int | NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return a number in [0, 1) for each 64-bit id under a 64-bit salt, independent by salt.

    A salt for each id, or for each row of ids, broadcasts.
    """
    # Arrays (of any dimension but 0) overflow without a word, which is wanted here.
    mixed = (ids ^ np.asarray(salt, np.uint64)) + _GOLDEN
    mixed = (mixed ^ (mixed >> _30)) * _MIX_1
    mixed = (mixed ^ (mixed >> _27)) * _MIX_2
    mixed = mixed ^ (mixed >> _31)
    return (mixed >> _11).astype(np.float64) * 2.0**-53
