"""What `concierge what-if` prints: changed choices, drops by rule, value, and what is unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.evaluation.policy_value import PolicyValue
from streams.analysis.what_if_tally import Tally
from streams.cli.reports.value_table import clip_sentence, value_as_json, value_table

_MOST_CHANGES = 12


def print_report(console: Console, tally: Tally, value: PolicyValue | None) -> None:
    """Print everything, for people."""
    for reason, count in tally.skipped.items():
        console.print(Text(f"{count:,} decisions left out: {reason}", style="yellow"))
    if not tally.decisions:
        console.print("there is no decision to decide again")
        return
    console.print(
        f"{tally.decisions:,} decisions decided again with "
        f'"{tally.new.name}" version {tally.new.version}'
    )
    if tally.by_policy:
        console.print(
            f"another choice with the same draw: {tally.switched:,} of {tally.by_policy:,} "
            f"({tally.switched / tally.by_policy:.1%}); probability moved to other actions: "
            f"{tally.moved / tally.by_policy:.1%}"
        )
    if tally.switched:
        console.print(_changes(tally))
    if tally.examples:
        console.print(_examples(tally))
    console.print(_drops(tally))
    _print_value(console, tally, value)
    for line in not_evaluated(tally, value):
        console.print(Text(f"not evaluated: {line}", style="yellow"))


def _changes(tally: Tally) -> Table:
    table = Table("was chosen", "would be chosen", "decisions", title="What changes")
    for (before, after), count in tally.changes.most_common(_MOST_CHANGES):
        table.add_row(before, after, f"{count:,}")
    return table


def _examples(tally: Tally) -> Table:
    table = Table("customer", "when (UTC)", "moment", "was", "would be", "the old choice is now")
    for each in tally.examples:
        when = datetime.fromtimestamp(each.at_ms / 1000, UTC)
        table.add_row(
            Text(each.customer),
            f"{when:%Y-%m-%d %H:%M}",
            each.moment,
            each.before,
            each.after,
            each.why_not,
        )
    return table


def _drops(tally: Tally) -> Table:
    table = Table("tier:rule", "dropped", "would drop", "difference", title="Drops by rule")
    fates = (tally.drops_before | tally.drops_after).keys() - {"candidate"}
    order = sorted(fates, key=lambda f: (-abs(tally.drops_after[f] - tally.drops_before[f]), f))
    for fate in order:
        before, after = tally.drops_before[fate], tally.drops_after[fate]
        style = "bold" if before != after else "dim"
        table.add_row(fate, f"{before:,}", f"{after:,}", f"{after - before:+,}", style=style)
    return table


def _print_value(console: Console, tally: Tally, value: PolicyValue | None) -> None:
    if value is None:
        console.print("no value: no attribution window of these decisions is over yet")
        return
    evaluated = value.settled - value.without_support
    console.print(
        f"value per decision in {tally.new.currency}, at the new catalogue's values, over "
        f"{evaluated:,} of {value.settled:,} settled decisions of the treated; they earned "
        f"{value.logged_value:.4f} "
        "(no_action counts 0: no reward shows what a customer would have done anyway)"
    )
    console.print(value_table(value))
    if value.clipped is not None and value.clipped.rows:
        console.print(clip_sentence(value.clipped))


def not_evaluated(tally: Tally, value: PolicyValue | None) -> list[str]:
    """Return what the log cannot show, one sentence each."""
    lines = []
    if tally.not_settled:
        lines.append(
            f"{tally.not_settled:,} decisions outside the time span in which everything is settled"
        )
    if tally.lost:
        lines.append(f"{tally.lost:,} published decisions that were never settled")
    if value is not None and value.without_support:
        lines.append(
            f"the value of {value.without_support:,} settled decisions in which an action could "
            "be chosen that was never possible in the log"
        )
    for name, mass in tally.unsupported.most_common():
        lines.append(f"{name} where it was no candidate: {mass / tally.decisions:.1%} of choices")
    for name in sorted(tally.unasked):
        lines.append(
            f"{name} changed and cannot be evaluated again: what it dropped is a candidate here, "
            "and it drops nothing else"
        )
    return lines


def as_json(tally: Tally, value: PolicyValue | None) -> dict[str, Any]:
    """Return everything as one JSON value."""
    fates = sorted((tally.drops_before | tally.drops_after).keys() - {"candidate"})
    return {
        "catalogue": tally.new.version,
        "currency": tally.new.currency,
        "decisions": tally.decisions,
        "skipped": dict(tally.skipped),
        "by_policy": tally.by_policy,
        "switched": tally.switched,
        "moved_probability": tally.moved / tally.by_policy if tally.by_policy else None,
        "changes": [
            {"from": before, "to": after, "decisions": count}
            for (before, after), count in tally.changes.most_common()
        ],
        "drops": {f: [tally.drops_before[f], tally.drops_after[f]] for f in fates},
        "value": None if value is None else value_as_json(value),
        "not_evaluated": not_evaluated(tally, value),
    }
