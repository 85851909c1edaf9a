"""What `concierge what-if` shows: who changes, what drops, what it is worth, what is unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.evaluation.policy_value import Counterfactual
from streams.analysis.what_if_tally import Tally
from streams.cli.reports.value_table import public_worth, says_clipped, worth_table

_MOST_CHANGES = 12


def print_report(console: Console, tally: Tally, worth: Counterfactual | None) -> None:
    """Print everything, for people."""
    for reason, count in tally.skipped.items():
        console.print(Text(f"{count:,} decisions left out: {reason}", style="yellow"))
    if not tally.decisions:
        console.print("no decision to decide again")
        return
    console.print(
        f"{tally.decisions:,} decisions decided again under "
        f'"{tally.new.name}" version {tally.new.version}'
    )
    if tally.by_policy:
        console.print(
            f"another choice with the same draw: {tally.switched:,} of {tally.by_policy:,} "
            f"({tally.switched / tally.by_policy:.1%}); probability that moves: "
            f"{tally.moved / tally.by_policy:.1%}"
        )
    if tally.switched:
        console.print(_changes(tally))
    if tally.examples:
        console.print(_examples(tally))
    console.print(_drops(tally))
    _print_worth(console, tally, worth)
    for line in unknown(tally, worth):
        console.print(Text(f"not evaluated: {line}", style="yellow"))


def _changes(tally: Tally) -> Table:
    table = Table("was chosen", "would be chosen", "decisions", title="What changes")
    for (before, after), count in tally.changes.most_common(_MOST_CHANGES):
        table.add_row(before, after, f"{count:,}")
    return table


def _examples(tally: Tally) -> Table:
    table = Table("customer", "when (UTC)", "moment", "was", "would be", "what was is now")
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


def _print_worth(console: Console, tally: Tally, worth: Counterfactual | None) -> None:
    if worth is None:
        console.print("no value: no attribution window of these decisions is over yet")
        return
    evaluated = worth.settled - worth.without_support
    console.print(
        f"value per decision in {tally.new.currency}, at the new catalogue's values, over "
        f"{evaluated:,} of {worth.settled:,} settled decisions of the treated; they earned "
        f"{worth.logged_value:.4f} "
        "(silence counts 0: no reward tells what a customer would have done anyway)"
    )
    console.print(worth_table(worth))
    if worth.clipped is not None and worth.clipped.rows:
        console.print(says_clipped(worth.clipped))


def unknown(tally: Tally, worth: Counterfactual | None) -> list[str]:
    """Return what could not be told, one sentence each."""
    lines = []
    if tally.not_settled:
        lines.append(f"{tally.not_settled:,} decisions outside the time that is wholly settled")
    if tally.lost:
        lines.append(f"{tally.lost:,} published decisions that were never settled")
    if worth is not None and worth.without_support:
        lines.append(
            f"the value of {worth.without_support:,} settled decisions where something could be "
            "chosen that the log never could"
        )
    for name, mass in tally.unsupported.most_common():
        lines.append(f"{name} where it was no candidate: {mass / tally.decisions:.1%} of choices")
    for name in sorted(tally.unasked):
        lines.append(
            f"{name} changed and cannot be asked again: whom it dropped is free, nobody else is "
            "dropped by it"
        )
    return lines


def public(tally: Tally, worth: Counterfactual | None) -> dict[str, Any]:
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
        "value": None if worth is None else public_worth(worth),
        "not_evaluated": unknown(tally, worth),
    }
