"""One back-test, from files to findings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from models.evaluation.estimators import Estimate
from streams.analysis.backtest.build_log import build_log
from streams.analysis.backtest.campaign_log import Log
from streams.analysis.backtest.claims import (
    Claims,
    examine,
    leak_warnings,
    with_what_was_predicted,
)
from streams.analysis.backtest.design_matrix import DesignMatrix
from streams.analysis.backtest.first_certain import FirstCertain, rows_to_beat_logged
from streams.analysis.backtest.judge import judge_policies
from streams.analysis.backtest.log_columns import LogError
from streams.analysis.backtest.logged_uplift import LoggedUplift, measure
from streams.analysis.backtest.policies import run_policies
from streams.analysis.backtest.prediction_quality import Progressive, judge_predictions
from streams.analysis.backtest.read_log import Question, read_table
from streams.analysis.backtest.replay import Learner, predict
from streams.analysis.backtest.row_account import Account
from streams.analysis.backtest.target_policy import policy_table, read_target_policy
from streams.core.catalogue.loading.arbitration_section import DEFAULT_GAMMA, DEFAULT_GROWTH
from streams.core.catalogue.values import Exploration

# Said while it runs: the stage, the share of it that is done, 0..1, and rows so far.
Progress = Callable[[str, float, int], None]
DEFAULT_PRIOR = 0.05
# What a row's probability is where none is logged.
RULES = {
    "shares": "each action's share of the rows",
    "uniform": "1/{count} for each action",
}


@dataclass(frozen=True)
class LogSummary:
    """What was taken from the files: rows replayed and judged, features, actions, what was odd.

    `evidence` counts the judged rows that estimates use, `copies` those that were found to be
    copies, `alike` rows that may be copies (without a customer and a time this cannot be decided),
    `late` outcomes after their window, `assumed` rows without a logged probability, for which
    `rule` names the assumption.
    """

    account: Account
    rows: int
    judged: int
    evidence: int
    copies: int
    alike: int
    late: int
    assumed: int
    rule: str
    features: int
    actions: tuple[str, ...]
    currency: str | None
    money: bool


@dataclass(frozen=True)
class Findings:
    """All that a back-test found; a supervised log has no policies."""

    taken: LogSummary
    progressive: Progressive
    claims: Claims
    policies: dict[str, dict[str, Estimate]]
    best_fixed: str | None = None
    beaten: FirstCertain | None = None
    lift: LoggedUplift | None = None


@dataclass(frozen=True)
class Options:
    """How to run: a supervised log, stop at the first bad row, and what no column says.

    `probability` is the rule for rows without one, `policy` a file with a further policy,
    `prior` the rate of outcomes before anything is learned.
    """

    supervised: bool = False
    strict: bool = False
    probability: str = "shares"
    policy: Path | None = None
    exploration: Exploration = field(
        default_factory=lambda: Exploration(DEFAULT_GAMMA, growth=DEFAULT_GROWTH)
    )
    prior: float = DEFAULT_PRIOR


def backtest(
    files: Sequence[Path],
    question: Question,
    options: Options,
    progress: Progress = lambda stage, share, rows: None,
) -> Findings:
    """Read a log and replay it; DataFileError or LogError say what cannot be used."""
    policy = None if options.policy is None else read_target_policy(options.policy)
    table = read_table(
        files,
        question,
        supervised=options.supervised,
        strict=options.strict,
        policy_by=() if policy is None else policy.by,
    )
    progress("reading", 1.0, table.account.rows)
    log = build_log(table, options.probability, question.name)
    account, money = table.account, bool(table.meanings.keys() & {"money", "value", "cost"})
    # The columns of the files are held twice until here.
    del table
    matrix = DesignMatrix(log)
    if not matrix.width:
        raise LogError(f"{question.name}: no features; select some columns beside those that say")
    if options.supervised:
        claims = Claims(warnings=tuple(leak_warnings(log)))
    else:
        claims = examine(log, log.control)
    # From here on only the matrix is asked.
    log = replace(log, numbers={}, categories={})
    taken = _taken(account, log, matrix, options, money)

    def replayed(rows: int) -> None:
        progress("replaying", rows / len(log), rows)

    def new_learner() -> Learner:
        return Learner(log, matrix, options.prior)

    if options.supervised:
        predicted = predict(log, new_learner(), progress=replayed)
        progressive = judge_predictions(log, predicted.propensity)
        return Findings(taken, progressive, with_what_was_predicted(claims, progressive), {})
    target = None if policy is None else policy_table(policy, log)
    courses = run_policies(log, new_learner, options.exploration, target, log.control, replayed)
    progressive = judge_predictions(log, courses.predicted.propensity)
    return Findings(
        taken,
        progressive,
        with_what_was_predicted(claims, progressive),
        judge_policies(log, courses, claims),
        courses.best_fixed,
        rows_to_beat_logged(log, courses, claims),
        None if log.control is None else measure(log, log.control, courses.lift, claims),
    )


def _taken(
    account: Account, log: Log, matrix: DesignMatrix, options: Options, money: bool
) -> LogSummary:
    return LogSummary(
        account=account,
        rows=len(log),
        judged=int(log.judged.sum()),
        evidence=int(log.evidence.sum()),
        copies=int(log.copy.sum()),
        alike=log.alike,
        late=log.late,
        assumed=0 if options.supervised else int(log.assumed.sum()),
        rule=RULES[options.probability].format(count=len(log.actions)),
        features=matrix.width,
        actions=tuple(key.action for key in log.actions),
        currency=log.currency,
        money=money and not options.supervised,
    )
