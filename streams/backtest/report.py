"""What a back-test found, as one JSON object and as tables for people."""

from __future__ import annotations

import math
from typing import Any

from rich.console import Console
from rich.table import Table

from models.evaluation.confidence import Interval
from models.evaluation.estimators import Estimate
from models.evaluation.uplift import Uplift
from streams.backtest.judging import METHODS
from streams.backtest.policies import BEST_FIXED, EXPLORING, LOGGED, OURS, RANDOM, TARGET
from streams.backtest.run import Findings

_ORDER = (OURS, EXPLORING, LOGGED, BEST_FIXED, RANDOM, TARGET)


def summary(findings: Findings) -> dict[str, Any]:
    """Return the findings as JSON can hold them; null for what cannot be evaluated."""
    progressive = findings.progressive
    return {
        "rows": findings.taken.rows,
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
    }


def _policy(estimates: dict[str, Estimate]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for method in METHODS:
        estimate = estimates[method]
        found[method] = _finite(estimate.value)
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
    ends = [_finite(interval.low), _finite(interval.high)]
    return {"value": _finite(interval.value), "interval": None if ends[0] is None else ends}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


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
    console.print(
        f"{account.rows:,} rows read: {taken.rows:,} replayed, {taken.judged:,} of them judged; "
        f"{account.left_out:,} left out, {account.repeated:,} repeated, "
        f"{account.rejected:,} rejected; {len(taken.actions):,} actions, {taken.features:,} columns"
    )
    if taken.assumed:
        console.print(f"{taken.assumed:,} rows tell no probability: the map's rule was used")


def _show_progressive(findings: Findings, console: Console) -> None:
    progressive = findings.progressive
    console.print(
        f"Predicted before each label was known: AUC {_number(progressive.auc)}, log-loss "
        f"{_number(progressive.log_loss)}, calibration error {_number(progressive.ece)} "
        f"({progressive.positives:,} outcomes in {progressive.rows:,} rows)"
    )


def _show_policies(findings: Findings, console: Console) -> None:
    table = Table("policy", "replay", "IPS", "SNIPS", "DR")
    for name in _ORDER:
        if name in findings.policies:
            label = f"best fixed: {findings.best_fixed}" if name == BEST_FIXED else name
            estimates = findings.policies[name]
            table.add_row(label, *(_estimate(estimates[method]) for method in METHODS))
    console.print(table)
    for name, estimates in findings.policies.items():
        for reason in dict.fromkeys(e.reason for e in estimates.values() if not e.evaluable):
            console.print(f"{name}: not evaluable: {reason}")
    if findings.beaten is not None:
        console.print(
            f"Ours was surely better than the logged policy after {findings.beaten.rows:,} judged "
            f"rows, {findings.beaten.lessons:,} outcomes learned"
        )
    else:
        console.print("Ours was never surely better than the logged policy on this log")


def _show_uplift(findings: Findings, console: Console) -> None:
    lift = findings.lift
    assert lift is not None
    table = Table("action", "rate with", "rate without", "uplift [dim](95 %)")
    for found in (lift.overall, *lift.actions):
        table.add_row(
            found.name or "all",
            _number(found.treated.mean),
            _number(found.without.mean),
            _relative(found),
        )
    console.print(table)
    if lift.qini is not None:
        console.print(f"Qini coefficient {lift.qini.coefficient:.5f} outcomes per treated row")


def _relative(found: Uplift) -> str:
    if not found.evaluable:
        return f"not evaluable: {found.reason}"
    interval = found.relative
    return f"{interval.value:+.1%} [dim]({interval.low:+.1%} .. {interval.high:+.1%})"


def _estimate(estimate: Estimate) -> str:
    if not estimate.evaluable:
        return "not evaluable"
    low, high = _number(estimate.low), _number(estimate.high)
    return f"{_number(estimate.value)}\n[dim]{low} .. {high}"


def _number(value: float | None) -> str:
    return "none" if value is None or not math.isfinite(value) else f"{value:.4g}"
