"""One back-test, from files to findings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from models.evaluation.estimators import Estimate
from streams.backtest.beaten import Beaten, rows_to_beat_logged
from streams.backtest.claims import Claims, examine, leak_warnings
from streams.backtest.columns import name_of
from streams.backtest.fields import LogError
from streams.backtest.history import history
from streams.backtest.judging import judge_policies
from streams.backtest.lift import Lift, measure
from streams.backtest.log import Log, build_log
from streams.backtest.log_map import LogMap
from streams.backtest.matrix import Matrix
from streams.backtest.policies import run_policies
from streams.backtest.predictions import Progressive, judge_predictions
from streams.backtest.reading import Account, read_table
from streams.backtest.replay import Learner, predict
from streams.backtest.target_policy import read_target_policy

# Said while it runs: the stage, the share of it that is done, 0..1, and rows so far.
Progress = Callable[[str, float, int], None]


@dataclass(frozen=True)
class Taken:
    """What was taken from the files: rows replayed and judged, features, actions, what was odd.

    `unreadable` names columns of numbers with values that are none: how many, and the first.
    `evidence` counts the judged rows that estimates use, `copies` those that were found to be
    copies, `alike` rows that may be copies (without a customer and a time nobody can say),
    `assumed` those without a logged probability.
    """

    account: Account
    unreadable: tuple[tuple[str, int, object], ...]
    rows: int
    judged: int
    evidence: int
    copies: int
    alike: int
    assumed: int
    rule: str
    features: int
    actions: tuple[str, ...]


@dataclass(frozen=True)
class Findings:
    """All that a back-test found; a supervised log has no policies."""

    taken: Taken
    progressive: Progressive
    claims: Claims
    policies: dict[str, dict[str, Estimate]]
    best_fixed: str | None = None
    beaten: Beaten | None = None
    lift: Lift | None = None


@dataclass(frozen=True)
class Options:
    """How to run: a supervised log, stop at the first bad row, read only so many rows."""

    supervised: bool = False
    strict: bool = False
    limit: int | None = None


def backtest(
    files: Sequence[Path],
    log_map: LogMap,
    map_file: Path,
    options: Options,
    progress: Progress = lambda stage, share, rows: None,
) -> Findings:
    """Read a log and replay it; SourceError or LogError say what cannot be used.

    `map_file` is where the map stands: a target policy's file is looked for beside it.
    """
    if not options.supervised and "action" not in log_map.fields:
        raise LogError(
            f"{log_map.name}: fields.action is missing; name the column of the action, or give "
            "--target for a log with one outcome and no actions"
        )
    table = read_table(
        files,
        log_map,
        supervised=options.supervised,
        strict=options.strict,
        limit=options.limit,
        progress=lambda share, rows: progress("reading", share, rows),
    )
    unreadable = tuple(table.unreadable)
    log = build_log(table, log_map)
    account = table.account
    # The columns of the files are held twice until here.
    del table
    log = replace(log, numbers={**log.numbers, **history(log, log_map.history)})
    matrix = Matrix(log)
    if not matrix.width:
        raise LogError(f"{log_map.name}: no features; name some, or all with `all_but: []`")
    control = None if options.supervised else _control(log, log_map)
    claims = (
        Claims(warnings=tuple(leak_warnings(log))) if options.supervised else examine(log, control)
    )
    # From here on only the matrix is asked.
    log = replace(log, numbers={}, categories={}, flags={})
    taken = _taken(account, unreadable, log, matrix, log_map, options)

    def replayed(rows: int) -> None:
        progress("replaying", rows / len(log), rows)

    def new_learner() -> Learner:
        return Learner(log, matrix, log_map.prior)

    if options.supervised:
        predicted = predict(log, new_learner(), progress=replayed)
        return Findings(taken, judge_predictions(log, predicted.propensity), claims, {})
    target = None
    if log_map.target_policy is not None:
        target = read_target_policy(log_map.target_policy, map_file, log)
    courses = run_policies(log, new_learner, log_map.exploration, target, control, replayed)
    return Findings(
        taken,
        judge_predictions(log, courses.predicted.propensity),
        claims,
        judge_policies(log, courses, claims),
        courses.best_fixed,
        rows_to_beat_logged(log, courses, claims),
        None if control is None else measure(log, control, courses.lift, claims),
    )


def _taken(
    account: Account,
    unreadable: tuple[tuple[str, int, object], ...],
    log: Log,
    matrix: Matrix,
    log_map: LogMap,
    options: Options,
) -> Taken:
    return Taken(
        account=account,
        unreadable=unreadable,
        rows=len(log),
        judged=int(log.judged.sum()),
        evidence=int(log.evidence.sum()),
        copies=int(log.copy.sum()),
        alike=log.alike,
        rule=_RULES[log_map.probability].format(count=len(log.actions)),
        assumed=0 if options.supervised else int(log.assumed.sum()),
        features=matrix.width,
        actions=tuple(key.action for key in log.actions),
    )


# What a row's probability is where none is logged.
_RULES = {
    "uniform": "1/{count} for each action",
    "shares": "each action's share of the rows",
}


def _control(log: Log, log_map: LogMap) -> int | None:
    if log_map.control is None:
        return None
    names = [key.action for key in log.actions]
    if name_of(log_map.control) in names:
        return names.index(name_of(log_map.control))
    near = get_close_matches(log_map.control, names, 1)
    meant = f"did you mean {near[0]}" if near else "the log has " + ", ".join(sorted(names)[:10])
    raise LogError(f"{log_map.name}: control {log_map.control!r} is no action of the log; {meant}")
