"""A value by estimator, for people and as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from models.evaluation.estimators import ClipReport, Estimate
from models.evaluation.policy_value import Counterfactual


def says_clipped(report: ClipReport) -> str:
    """Return what was cut of the weights, in one sentence."""
    return (
        f"{report.rows:,} weights above {report.threshold:g} were cut (the largest was "
        f"{report.largest_weight:.1f}), which took {report.weight_share:.1%} of all weight away"
    )


def worth_table(worth: Counterfactual) -> Table:
    """Return value and gain by estimator, or why there is none."""
    table = Table("estimator", "value", "gain", "95 %, at every look", "worth decisions", "cut")
    for name in ("ips", "snips", "dr"):
        gain = worth.gains[name]
        if not gain.evaluable:
            table.add_row(name.upper(), Text(f"not evaluable: {gain.reason}", style="yellow"))
            continue
        table.add_row(
            name.upper(),
            f"{worth.values[name].value:.4f}",
            f"{gain.value:+.4f}",
            f"{gain.low:+.4f} .. {gain.high:+.4f}",
            f"{gain.effective_samples:,.0f}",
            f"{gain.clipped_share:.2%}",
        )
    opinion = worth.gains["dm"]
    if opinion.evaluable:
        table.add_row("model's opinion (DM)", f"{worth.values['dm'].value:.4f}", "", "", "", "")
    return table


def public_worth(worth: Counterfactual) -> dict[str, Any]:
    """Return value and gain by estimator as one JSON value."""
    return {
        "settled": worth.settled,
        "without_support": worth.without_support,
        "logged": _finite(worth.logged_value),
        "clipped": None if worth.clipped is None else asdict(worth.clipped),
        "policies": {name: _estimate(found) for name, found in worth.values.items()},
        "gain": {name: _estimate(found) for name, found in worth.gains.items()},
    }


def _estimate(found: Estimate) -> dict[str, Any]:
    return {
        "value": _finite(found.value),
        "low": _finite(found.low),
        "high": _finite(found.high),
        "effective_samples": found.effective_samples,
        "clipped_share": found.clipped_share,
        "evaluable": found.evaluable,
        "reason": found.reason,
    }


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
