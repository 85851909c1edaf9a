"""A log in memory: rows in time order, each with when its label is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.protocol import ActionKey
from streams.backtest.columns import MISSING
from streams.backtest.copies import equal_to_an_earlier_one
from streams.backtest.log_map import LogMap
from streams.backtest.reading import Table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

# All actions are of one issue: a log knows families, and everything.
ISSUE = "log"


@dataclass(frozen=True)
class Category:
    """A column of names: codes (n,), `MISSING` where empty, len(names) for all further names."""

    codes: NDArray[np.int32]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Log:
    """n rows in time order. `label` is settled, and may be learned, at `due_ms`.

    `due_ms` is later than `time_ms`: an outcome that is known at once counts from the next
    millisecond on. `known` is false where the log ends before the label is settled. `reward` is
    what the row brought: 1 for an outcome, or its money, less its cost. `probability` is that of
    the logged action; `assumed` where the log did not tell. `declared` is what an outcome of
    an action (by its number) is worth, where that was known beforehand.
    """

    time_ms: Ints
    due_ms: Ints
    outcome_ms: Ints
    customer: Ints
    has_customers: bool
    has_time: bool
    actions: tuple[ActionKey, ...]
    action: Ints
    probability: Floats
    assumed: Flags
    label: Flags
    known: Flags
    money: Floats
    cost: Floats
    reward: Floats
    numbers: Mapping[str, Floats]
    categories: Mapping[str, Category]
    flags: Mapping[str, Flags]
    policy_key: Category
    declared: Mapping[int, float]
    row: Ints
    copy: Flags
    alike: int

    def __len__(self) -> int:
        return len(self.time_ms)

    @property
    def judged(self) -> Flags:
        """Which rows are judged: labels known, and none before the first lesson could be learned.

        Earlier rows teach. There every policy would be a guess, so nobody is compared on them.
        """
        due = self.due_ms[self.known]
        delayed = self.due_ms[self.known] > self.time_ms[self.known] + 1
        first = int(due.min()) if len(due) and bool(delayed.any()) else 0
        return self.known & (self.time_ms >= first)

    @property
    def assumed_everywhere(self) -> bool:
        """Tell whether no row has a logged probability."""
        return bool(self.assumed.all())

    @property
    def evidence(self) -> Flags:
        """Which judged rows count for estimates and intervals: copies do not.

        Where some rows have a logged probability, neither do rows without one.
        """
        rows = self.judged & ~self.copy
        return rows if self.assumed_everywhere else rows & ~self.assumed


def build_log(table: Table, log_map: LogMap) -> Log:
    """Put the rows of a table in time order (rows of one time stay as the file had them)."""
    fields = table.fields
    raw_time = np.array(fields.time_ms, np.int64)
    order = np.argsort(raw_time, kind="stable")
    time_ms = raw_time[order]
    customer = fields.customers.codes()[order].astype(np.int64)
    label = np.array(fields.label, np.int8)[order] == 1
    outcome_ms = np.array(fields.outcome_ms, np.int64)[order]
    window_ms = np.array(fields.window_ms, np.int64)[order]
    if log_map.repeat_within_ms is None:
        due_ms = time_ms + np.maximum(window_ms, 1)
        known = np.ones(len(order), bool)
    else:
        next_ms = _next_of_customer(customer, time_ms)
        window = log_map.repeat_within_ms
        label = next_ms <= time_ms + window
        outcome_ms = np.where(label, next_ms, -1)
        due_ms = time_ms + window
        known = due_ms <= time_ms[-1]
    # Without a time of its own an outcome is known to have come when its window is over.
    outcome_ms = np.where(label & (outcome_ms < 0), due_ms, outcome_ms)
    action = fields.actions.codes()[order].astype(np.int64)
    names = fields.actions.names
    logged = np.array(fields.probability)[order]
    money, cost = np.array(fields.money)[order], np.array(fields.cost)[order]
    paid = money if {"money", "value"} & log_map.fields.keys() else np.ones(len(order))
    log = Log(
        time_ms=time_ms,
        due_ms=due_ms,
        outcome_ms=outcome_ms,
        customer=customer,
        has_customers="customer" in log_map.fields,
        has_time="time" in log_map.fields,
        actions=tuple(ActionKey(name, fields.families[name], ISSUE) for name in names),
        action=action,
        probability=np.where(
            np.isnan(logged), _assumed(action, len(names), log_map.probability), logged
        ),
        assumed=np.isnan(logged),
        label=label,
        known=known,
        money=paid,
        cost=cost,
        reward=np.where(label, paid, 0.0) - cost,
        numbers={
            name: column.values()[order]
            for name, column in {**table.numbers, **table.computed}.items()
        },
        categories={
            name: Category(column.codes()[order], tuple(column.names))
            for name, column in table.categories.items()
        },
        flags={name: np.array(held, bool)[order] for name, held in table.flags.items()},
        policy_key=Category(fields.policy_keys.codes()[order], tuple(fields.policy_keys.names)),
        declared={n: fields.values[name] for n, name in enumerate(names) if name in fields.values},
        row=order + 1,
        copy=np.zeros(len(order), bool),
        alike=0,
    )
    return _without_copies(log)


def _without_copies(log: Log) -> Log:
    """Mark the rows that are copies; without a customer and a time nobody can say, only count."""
    columns = [log.action, log.label, log.reward, log.money, *log.numbers.values()]
    columns += [held.codes for held in log.categories.values()]
    if log.has_time:
        columns += [log.time_ms, log.outcome_ms]
    if log.has_customers:
        columns.append(log.customer)
    later = equal_to_an_earlier_one(columns, len(log))
    if log.has_customers and log.has_time:
        return replace(log, copy=later)
    return replace(log, alike=int(later.sum()))


def _next_of_customer(customer: Ints, time_ms: Ints) -> Ints:
    """Return when each row's customer comes next, strictly later; far in the future for never."""
    never = np.iinfo(np.int64).max
    order = np.lexsort((time_ms, customer))
    same = customer[order][1:] == customer[order][:-1]
    later = np.full(len(order), never)
    following = np.append(time_ms[order][1:], never)
    following[:-1][~same] = never
    following[-1] = never
    # Rows of one customer at one time all look to the first strictly later one.
    times = time_ms[order]
    for place in range(len(order) - 2, -1, -1):
        if following[place] == times[place]:
            following[place] = following[place + 1]
    later[order] = following
    return later


def _assumed(action: Ints, count: int, rule: str) -> Floats:
    """Return the probability of each row's action by the map's rule for what is not logged."""
    if rule == "uniform":
        return np.full(len(action), 1.0 / count)
    shares = np.bincount(action, minlength=count) / len(action)
    found: Floats = shares[action]
    return found


__all__ = ["MISSING", "Category", "Log", "build_log"]
