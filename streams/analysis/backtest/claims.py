"""What a log can carry: which estimates may be claimed at all, and what must be said beside them.

- Without logged probabilities they are assumed, which is right only for actions that were drawn by
  lot. If features or time predict the action, it was chosen by a rule: then the effects of
  selection and action cannot be separated, and no policy but the logged one is evaluable. The same
  holds if the log has too few rows to see such a rule.
- Logged probabilities are tested too: an action that features or time predict beyond its logged
  probability was not drawn with it, and only the logged policy is evaluable.
- Uplift compares rates of customers with and without an action, so it needs a control that was
  drawn by lot, whatever the probabilities are. That of a single action needs all actions to be.
- A feature that gives the outcome away, and predictions that are too good, cause a warning.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from streams.analysis.backtest.binned_columns import binned_columns
from streams.analysis.backtest.campaign_log import Log
from streams.analysis.backtest.outcome_leaks import (
    GIVEN_AWAY_AUC,
    MIN_ROWS,
    columns_that_give_the_outcome_away,
)
from streams.analysis.backtest.prediction_quality import Progressive
from streams.analysis.backtest.probability_test import ProbabilityTest, probability_test
from streams.analysis.backtest.targeting_test import ALL_TOGETHER, TargetingTest, targeting_test

# Sums of weights differ from what they must be by more than chance (of some tens of sums), and by
# more than probabilities that were rounded.
MISFIT_Z = 4.5
MAX_AWAY = 0.05


@dataclass(frozen=True)
class Claims:
    """Why no policy, no uplift over all, no action's uplift may be claimed; "" where it may.

    `tested` is the test on the actions, None where probabilities are logged and there is no
    control. `warnings` are sentences.
    """

    policies: str = ""
    uplift: str = ""
    uplift_of_actions: str = ""
    tested: TargetingTest | None = None
    warnings: tuple[str, ...] = ()


def examine(log: Log, control: int | None) -> Claims:
    """Test what a log with actions can carry; `control` is the number of its control action."""
    assumed = log.assumed_everywhere
    evidence = log.evidence
    warnings = tuple(leak_warnings(log))
    count = len(log.actions)
    policies = "" if assumed else _contradicted(log)
    if count < 2 or not evidence.any():
        return Claims(policies, warnings=warnings)
    columns = binned_columns(log, evidence)
    action, customer = log.action[evidence], log.customer[evidence]
    if not assumed:
        logged = probability_test(columns, action, count, customer, log.probability[evidence])
        policies = policies or _why_contradicted(logged)
        if control is None:
            return Claims(policies, warnings=warnings)
    tested = targeting_test(columns, action, count, customer)
    which = "which action was taken"
    if assumed:
        policies = _contradicted(log) or _why_not(tested, which, "no probability is logged, and")
    if control is None:
        return Claims(policies, tested=tested, warnings=warnings)
    chosen = tested
    if count > 2:
        chosen = targeting_test(columns, (action == control).astype(np.int64), 2, customer)
    overall = _why_not(chosen, "who was left alone")
    return Claims(policies, overall, overall or _why_not(tested, which), tested, warnings)


def _contradicted(log: Log) -> str:
    """Return which probabilities are too small for the rows that there are, if any are.

    Weighted by 1 / probability, the rows of an action count for the rows in which it could have
    been taken: at most for all. Single rows with a very large weight are left to the policies'
    estimates.
    """
    rows = np.flatnonzero(log.evidence)
    weights = 1.0 / log.probability[rows]
    rows, weights = rows[weights <= len(rows) / 50.0], weights[weights <= len(rows) / 50.0]
    n = int(log.evidence.sum())
    kind = "assumed" if log.assumed_everywhere else "logged"
    for number, key in enumerate(log.actions):
        sums = np.where(log.action[rows] == number, weights, 0.0)
        by_customer = np.bincount(log.customer[rows], sums) if log.has_customers else sums
        by_customer = by_customer[by_customer > 0.0]
        share = float(sums.sum()) / max(n, 1)
        error = float(np.sqrt(by_customer @ by_customer)) / max(n, 1)
        if share > 1.0 + max(MAX_AWAY, MISFIT_Z * error):
            return (
                f"the {kind} probabilities cannot be right: by them the rows with {key.action} "
                f"stand for {sums.sum():,.0f} rows, and the log has {n:,}"
            )
    return ""


def _why_contradicted(tested: ProbabilityTest) -> str:
    if not tested.found:
        return ""
    return (
        f"{_foretelling(tested.by)} which action was taken beyond its logged probability (in parts "
        f"of the log, the rows of an action stand for {tested.times:.2f} times the rows that there "
        "are; right probabilities make at most 1): the logged probabilities cannot be right"
    )


def _foretelling(by: str) -> str:
    together = by == ALL_TOGETHER
    return f"{'features and time ' if together else ''}{by} predict{'' if together else 's'}"


def _why_not(tested: TargetingTest, what: str, before: str = "") -> str:
    if tested.found:
        because = f"{_foretelling(tested.by)} {what} (AUC {tested.auc:.3f}; .5 is chance)"
    elif not tested.enough:
        because = (
            f"{tested.rows:,} rows are too few to see whether features or time predict {what} "
            f"(only an AUC above {tested.detectable:.2f} would be seen)"
        )
    else:
        return ""
    return f"{before} {because}".strip()


def leak_warnings(log: Log) -> list[str]:
    """Return a sentence for each feature that gives the outcome away."""
    return [
        f"the feature {name} alone tells the outcome (AUC {score:.4f}, above {GIVEN_AWAY_AUC}); "
        "if it is filled after the outcome has come, leave it out: a worker will not have it"
        for name, score in columns_that_give_the_outcome_away(log)
    ]


def with_what_was_predicted(claims: Claims, progressive: Progressive) -> Claims:
    """Return the claims, with a warning where all features together give the outcome away."""
    fewer = min(progressive.positives, progressive.rows - progressive.positives)
    auc = progressive.auc or 0.0
    if auc <= GIVEN_AWAY_AUC or fewer < MIN_ROWS or claims.warnings:
        return claims
    warning = (
        f"outcomes are predicted almost perfectly (AUC {auc:.4f}, above {GIVEN_AWAY_AUC}): "
        "features together give them away; look for those that are filled after an outcome has come"
    )
    return replace(claims, warnings=(warning,))
