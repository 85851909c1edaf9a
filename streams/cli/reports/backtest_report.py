"""The findings of a back-test, as one JSON object and as printed tables."""

from __future__ import annotations

import math
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.evaluation.confidence_sequences import Interval
from models.evaluation.estimators import Estimate
from models.evaluation.uplift_estimate import Uplift
from streams.analysis.backtest.judge import METHODS
from streams.analysis.backtest.policies import (
    BEST_FIXED,
    EXPLORING,
    LOGGED,
    OURS,
    RANDOM,
    TARGET,
)
from streams.analysis.backtest.run_backtest import Findings
from streams.cli.reports.json_number import finite_or_none

_ORDER = (OURS, EXPLORING, LOGGED, BEST_FIXED, RANDOM, TARGET)


def summary(findings: Findings) -> dict[str, Any]:
    """Return the findings as one JSON value; None (null) if something cannot be evaluated."""
    progressive = findings.progressive
    return {
        "rows": findings.taken.rows,
        "rows_read": findings.taken.account.rows,
        "rows_used": findings.taken.account.used,
        "rows_rejected": findings.taken.account.rejected,
        "rows_spoiled": findings.taken.account.spoiled,
        "rows_left_out": findings.taken.account.left_out,
        "actions": len(findings.taken.actions),
        "progressive": {
            "auc": progressive.auc,
            "log_loss": progressive.log_loss,
            "ece": progressive.ece,
        },
        "policies": {
            name: _policy(findings.policies[name])
            for name in _ORDER
            if name in findings.policies and name != EXPLORING
        },
        "uplift": _uplift(findings),
        "rows_to_beat_logged": findings.beaten.rows if findings.beaten else None,
        "copies": findings.taken.copies,
        "assumed_probabilities": findings.taken.assumed,
        "currency": findings.taken.currency,
        "predicted": _targeting(findings),
        "not_evaluable": _reasons(findings),
        "warnings": list(findings.claims.warnings),
    }


def _targeting(findings: Findings) -> dict[str, Any] | None:
    tested = findings.claims.tested
    if tested is None:
        return None
    return {
        "by": tested.by if tested.found else None,
        "auc": tested.auc,
        "detectable_auc": tested.detectable,
        "rows": tested.rows,
    }


def _reasons(findings: Findings) -> dict[str, str]:
    """Return why an estimate is missing, by policy and method, and for uplift."""
    reasons = {
        f"{name}.{method}": estimate.reason
        for name, estimates in findings.policies.items()
        for method, estimate in estimates.items()
        if not estimate.evaluable and name != EXPLORING
    }
    if findings.lift is not None:
        lift = findings.lift
        found = {"uplift": lift.overall} | {f"uplift.{u.name}": u for u in lift.actions}
        reasons |= {name: u.reason for name, u in found.items() if not u.evaluable}
    return reasons


def _policy(estimates: dict[str, Estimate]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for method in METHODS:
        estimate = estimates[method]
        found[method] = finite_or_none(estimate.value)
        found[f"{method}_interval"] = [estimate.low, estimate.high] if estimate.evaluable else None
    return found


def _uplift(findings: Findings) -> dict[str, Any]:
    if findings.lift is None:
        return {}
    lift = findings.lift
    return {
        **_interval(lift.overall.relative),
        "difference": _interval(lift.overall.difference),
        "qini": lift.qini.coefficient if lift.qini else None,
        "actions": {found.name: _interval(found.relative) for found in lift.actions},
    }


def _interval(interval: Interval) -> dict[str, Any]:
    ends = [finite_or_none(interval.low), finite_or_none(interval.high)]
    return {"value": finite_or_none(interval.value), "interval": None if ends[0] is None else ends}


def show(findings: Findings, console: Console) -> None:
    """Print the findings."""
    _show_taken(findings, console)
    _show_progressive(findings, console)
    if findings.policies:
        _show_policies(findings, console)
    if findings.lift is not None:
        _show_uplift(findings, console)


def _show_taken(findings: Findings, console: Console) -> None:
    taken, account = findings.taken, findings.taken.account
    used = "" if account.used is None else f" = {account.used:,} used +"
    parts = f"{used or ','} {account.rejected:,} rejected"
    if account.spoiled:
        parts += f" + {account.spoiled:,} spoiled (of a group with a rejected row)"
    if account.left_out is not None:
        parts += f" + {account.left_out:,} left out by the query"
    console.print(
        f"{account.rows:,} rows read{parts}; the query selected "
        f"{account.made:,}: {taken.rows:,} replayed, {taken.judged:,} of them judged; "
        f"{len(taken.actions):,} actions, {taken.features:,} columns"
    )
    if taken.copies:
        console.print(
            f"{taken.copies:,} rows are copies of an earlier one (customer, time, action, outcome "
            "and features): they count once in estimates and intervals"
        )
    if taken.late:
        console.print(f"{taken.late:,} outcomes came after their window and do not count")
    if taken.alike and findings.policies:
        console.print(
            f"{taken.alike:,} rows equal an earlier one in everything; without both a customer and "
            "a time they cannot be told from copies, and count as rows of their own"
        )
    if taken.assumed:
        _show_assumed(findings, console)
    for warning in findings.claims.warnings:
        console.print(f"[bold]Warning:[/bold] {escape(warning)}")


def _show_assumed(findings: Findings, console: Console) -> None:
    taken, tested = findings.taken, findings.claims.tested
    if taken.assumed < taken.rows:
        console.print(
            f"{taken.assumed:,} rows have no logged probability, others have: the model "
            "learns from them, but estimates do not use them"
        )
        return
    console.print(
        f"No row has a logged probability. Assumed is {taken.rule}: right only where the actions "
        "were drawn by lot"
    )
    if tested is not None and not findings.claims.policies:
        console.print(
            f"Features and time do not predict the action (AUC {tested.auc:.3f}; from "
            f"{tested.detectable:.3f} on a rule would have been seen in {tested.rows:,} rows)"
        )


def _show_progressive(findings: Findings, console: Console) -> None:
    progressive = findings.progressive
    console.print(
        f"Predicted before each label was known: AUC {_number(progressive.auc)}, log-loss "
        f"{_number(progressive.log_loss)}, calibration error {_number(progressive.ece)} "
        f"({progressive.positives:,} outcomes in {progressive.rows:,} rows)"
    )


def _show_policies(findings: Findings, console: Console) -> None:
    taken = findings.taken
    unit = (taken.currency or "money") if taken.money else "outcomes"
    table = Table("policy", "replay", "IPS", "SNIPS", "DR", title=f"{unit} a row")
    for name in _ORDER:
        if name in findings.policies:
            estimates = findings.policies[name]
            label = name.replace("_", " ")
            if name == BEST_FIXED and any(e.evaluable for e in estimates.values()):
                label = f"best fixed: {findings.best_fixed}"
            table.add_row(escape(label), *(_estimate(estimates[method]) for method in METHODS))
    console.print(table)
    for reason, names in _by_reason(findings).items():
        console.print(f"Not evaluable: {'; '.join(names)}: {escape(reason)}")
    if findings.beaten is not None:
        console.print(
            f"Ours was surely better than the logged policy after {findings.beaten.rows:,} rows, "
            f"{findings.beaten.lessons:,} outcomes learned"
        )
    elif not findings.policies[OURS]["dr"].evaluable:
        console.print("Whether ours would have been better than the logged policy is not evaluable")
    else:
        console.print("Ours was never surely better than the logged policy on this log")


def _by_reason(findings: Findings) -> dict[str, list[str]]:
    """Return the reasons why estimates are missing, each with the policies and methods."""
    found: dict[str, list[str]] = {}
    for name, estimates in findings.policies.items():
        missing: dict[str, list[str]] = {}
        for method, estimate in estimates.items():
            if not estimate.evaluable:
                missing.setdefault(estimate.reason, []).append(method)
        for reason, methods in missing.items():
            of = "" if len(methods) == len(METHODS) else f" ({', '.join(methods)})"
            found.setdefault(reason, []).append(f"{name.replace('_', ' ')}{of}")
    return found


def _show_uplift(findings: Findings, console: Console) -> None:
    lift = findings.lift
    assert lift is not None
    table = Table("action", "rate with", "rate without", "uplift [dim](95 %)")
    for found in (lift.overall, *lift.actions):
        table.add_row(
            escape(found.name or "all"),
            _number(found.treated.mean),
            _number(found.without.mean),
            _relative(found),
        )
    console.print(table)
    if lift.qini is not None:
        console.print(f"Qini coefficient {lift.qini.coefficient:.5f} outcomes per treated row")


def _relative(found: Uplift) -> str:
    if not found.evaluable:
        return escape(f"not evaluable: {found.reason}")
    interval = found.relative
    return f"{interval.value:+.1%} [dim]({interval.low:+.1%} .. {interval.high:+.1%})"


def _estimate(estimate: Estimate) -> str:
    if not estimate.evaluable:
        return "not evaluable"
    low, high = _number(estimate.low), _number(estimate.high)
    return f"{_number(estimate.value)}\n[dim]{low} .. {high}"


def _number(value: float | None) -> str:
    return "none" if value is None or not math.isfinite(value) else f"{value:.4g}"
