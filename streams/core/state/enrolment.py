"""Enrolment: which decision is a customer's first of all, of a family, of an action.

Uplift counts these alone. Later decisions depend on how the customer responded: a customer who
ignored an offer is suppressed, the control group cannot ignore, so later decisions select other
customers in one arm than in the other. Before the first decision no customer is selected, and each
arm counts every customer that it enrolled, whatever happened later (intention to treat; Kohavi,
Tang, Xu: Trustworthy Online Controlled Experiments, 2020, chapters 20 and 22).
"""

from __future__ import annotations

from functools import lru_cache

from schemas.symbols import FIRST_OF_ACTION, FIRST_OF_ALL, FIRST_OF_FAMILY
from streams.core.hashing import id_hash
from streams.core.state.customer import CustomerState
from streams.core.state.layout import ENROLLED_BITS, HEAD

# Every scope at once: this customer enters none any more, because what came before is not known.
NO_MORE = (1 << ENROLLED_BITS) - 1
_ERASED = HEAD["erased_ms"]


def enrol(state: CustomerState, action: str, family: str | None) -> int:
    """Remember a decision's scopes; return of which it is the first, as a sum of `FIRST_OF_*`.

    Each scope is a bit by hash. A customer with another scope on the same bit counts as enrolled
    already and is left out, in every arm alike; the first of all is exact. After an erasure a
    customer is always left out, because their earlier decisions are not known any more.
    """
    if state.head[_ERASED]:
        return 0
    before, first = state.enrolled, 0
    of_action = _bit("action", action)
    if not before:
        first = FIRST_OF_ALL
    if not before & of_action:
        first |= FIRST_OF_ACTION
    state.enrolled = before | of_action
    if family is not None:
        of_family = _bit("family", family)
        if not before & of_family:
            first |= FIRST_OF_FAMILY
        state.enrolled |= of_family
    return first


def enrolled_bytes(enrolled: int) -> bytes:
    """Return the scopes as they are stored."""
    return enrolled.to_bytes(ENROLLED_BITS // 8, "little") if enrolled else b""


def enrolled_before(stored: bytes | None, last_decision_ms: float) -> int:
    """Return the scopes of a stored state; one older than enrolment tells only whether it began."""
    if stored is not None:
        return int.from_bytes(stored, "little")
    return NO_MORE if last_decision_ms > 0 else 0


@lru_cache(maxsize=4_096)
def _bit(kind: str, name: str) -> int:
    return 1 << id_hash(f"enrol/{kind}/{name}") % ENROLLED_BITS
