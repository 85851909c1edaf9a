"""Uplift and Qini where the log has a control: rows in which nothing was done."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.evaluation.ledger import HOLDOUT, OVERALL, TREATED, Ledger, Settled
from models.evaluation.qini import Qini, qini
from models.evaluation.uplift_estimate import Uplift, compare, conversion_rate, withheld
from streams.analysis.backtest.campaign_log import Floats, Log
from streams.analysis.backtest.claims import Claims
from streams.core.hashing import uniforms

_CUSTOMER_SALT = 0x0C0FFEE


@dataclass(frozen=True)
class LoggedUplift:
    """What doing something changed, per action and over all, and how well it was foreseen."""

    overall: Uplift
    actions: tuple[Uplift, ...]
    qini: Qini | None


def measure(log: Log, control: int, score: Floats, claims: Claims) -> LoggedUplift:
    """Compare outcomes with and without treatment in the rows of evidence.

    `score` (n,) is by how much treatment was expected to help. The comparison is causal only if
    the control was drawn by lot: where `claims` say that it was not, there is no uplift.
    """
    ledger = _ledger(log, control)
    without = conversion_rate(ledger.sums(OVERALL, HOLDOUT))
    treated = conversion_rate(ledger.sums(OVERALL, TREATED))
    each = []
    for number, key in enumerate(log.actions):
        if number != control:
            rate = conversion_rate(ledger.sums(("action", key.action), TREATED))
            found = compare(rate, without, "action", key.action)
            each.append(_claimed(found, claims.uplift_of_actions))
    held = log.evidence
    done = log.action[held] != control
    curve = None
    if not claims.uplift and done.any() and not done.all():
        curve = qini(score[held], done, log.label[held].astype(np.float64))
    return LoggedUplift(
        _claimed(compare(treated, without, *OVERALL), claims.uplift), tuple(each), curve
    )


def _claimed(found: Uplift, reason: str) -> Uplift:
    return withheld(found, reason) if reason else found


def _ledger(log: Log, control: int) -> Ledger:
    ledger = Ledger()
    held = np.flatnonzero(log.evidence)
    hashes = uniforms(log.customer[held].astype(np.uint64), _CUSTOMER_SALT) * 2.0**53
    details = (log.action, log.label, log.reward, log.time_ms)
    columns = (hashes.astype(np.int64), *(column[held] for column in details))
    for customer, action, label, reward, at_ms in zip(*(c.tolist() for c in columns), strict=True):
        arm = HOLDOUT if action == control else TREATED
        key = log.actions[action]
        ledger.add(Settled(arm, key.action, key.family, label, reward, customer, at_ms))
    return ledger
