"""Drift: notice that an action's response differs from its propensity, and explore it again.

ADWIN (Bifet and Gavalda, Learning from time-changing data with adaptive windowing, SDM 2007,
section 4) keeps a window of numbers as long as their mean stays, in buckets of 1, 2, 4, ...
numbers. River has one, but its state cannot be taken out; this one is plain lists, so that it
travels in a snapshot and a restored model finds the same drifts at the same lessons.
"""

from __future__ import annotations

import math

import msgspec

# The chance of a false alarm that each comparison may have.
DELTA = 0.002
# Lessons between two looks. A look costs tens of microseconds, a lesson without one less than 2.
LOOK_EVERY = 32
# Buckets of each size; more make finer cuts and a larger state.
MOST_BUCKETS = 5
# Neither part of a cut is shorter.
SHORTEST_PART = 5
# Until it has so many lessons, what an action's model promises is still on its way.
WARM_UP_LESSONS = 200
# Right after a drift, exploration is so many times what it was.
MOST_UNREST = 4.0
# Lessons of the action after which what is left of that has halved.
HALF_UNREST_LESSONS = 100.0


class Window(msgspec.Struct, array_like=True):
    """ADWIN's window over numbers that are never further than 1 from their mean.

    Row r of `totals` and `spreads` holds buckets of 2**r numbers, the oldest first: their sum and
    their sum of squared deviations from the bucket's mean. The others are those of all.

    >>> window = Window()
    >>> any([window.update(x) for x in [0.5] * 320])
    False
    >>> any([window.update(x) for x in [0.1] * 64]), window.size < 100
    (True, True)
    """

    totals: list[list[float]] = msgspec.field(default_factory=list)
    spreads: list[list[float]] = msgspec.field(default_factory=list)
    size: int = 0
    total: float = 0.0
    spread: float = 0.0
    seen: int = 0

    def update(self, number: float) -> bool:
        """Take one number; True when the mean has changed, and what was before is forgotten."""
        if self.size:
            away = number - self.total / self.size
            self.spread += away * away * self.size / (self.size + 1)
        self.size += 1
        self.total += number
        self._insert(0, number, 0.0)
        self.seen += 1
        if self.seen % LOOK_EVERY:
            return False
        changed = False
        while self.size >= 2 * SHORTEST_PART and self._differs():
            self._forget_oldest()
            changed = True
        return changed

    def copy(self) -> Window:
        """Return an independent copy."""
        totals, spreads = [list(r) for r in self.totals], [list(r) for r in self.spreads]
        return Window(totals, spreads, self.size, self.total, self.spread, self.seen)

    def _insert(self, row: int, total: float, spread: float) -> None:
        """Add a bucket; two of the oldest of a full row become one of the next."""
        if row == len(self.totals):
            self.totals.append([])
            self.spreads.append([])
        totals, spreads = self.totals[row], self.spreads[row]
        totals.append(total)
        spreads.append(spread)
        if len(totals) > MOST_BUCKETS:
            one, two = totals[0], totals[1]
            # Two buckets of m numbers: m / 2 * (mean - mean)^2, and mean = total / m.
            between = (one - two) ** 2 / 2 ** (row + 1)
            joined = spreads[0] + spreads[1] + between
            del totals[:2], spreads[:2]
            self._insert(row + 1, one + two, joined)

    def _differs(self) -> bool:
        """Tell whether some cut parts the window in two whose means differ too much."""
        variance = self.spread / self.size
        odds = math.log(2.0 * math.log(self.size) / DELTA)
        old_size, old_total = 0, 0.0
        for row in range(len(self.totals) - 1, -1, -1):
            for total in self.totals[row]:
                old_size += 2**row
                old_total += total
                new_size = self.size - old_size
                if old_size < SHORTEST_PART:
                    continue
                if new_size < SHORTEST_PART:
                    return False
                least = SHORTEST_PART - 1
                reciprocal = 1.0 / (old_size - least) + 1.0 / (new_size - least)
                allowed = math.sqrt(2.0 * reciprocal * variance * odds)
                allowed += 2.0 / 3.0 * odds * reciprocal
                if abs(old_total / old_size - (self.total - old_total) / new_size) > allowed:
                    return True
        return False

    def _forget_oldest(self) -> None:
        row = len(self.totals) - 1
        total, spread = self.totals[row].pop(0), self.spreads[row].pop(0)
        while self.totals and not self.totals[-1]:
            del self.totals[-1], self.spreads[-1]
        size = 2**row
        self.size -= size
        self.total -= total
        away = total / size - self.total / self.size
        between = away * away * size * self.size / (size + self.size)
        self.spread = max(self.spread - spread - between, 0.0)


class Watch(msgspec.Struct, array_like=True):
    """What is watched of one action: when its lessons began, and whether they keep their promise.

    `began_at` is how many lessons the whole model had at the action's first, `lessons` how many
    came since, `drifts` how often they left the promise and `since` how many came after the last
    time (-1: never).
    """

    began_at: int = 0
    lessons: int = 0
    drifts: int = 0
    since: int = -1
    window: Window = msgspec.field(default_factory=Window)

    def update(self, uncalibrated: float, label: bool) -> bool:
        """Take a lesson: the propensity before it was learned, and its label; True at a drift.

        The watched value is label - propensity: it stays around 0 while the model is right about
        the level, whichever customers get the action. (Squared errors do not show drift: they
        *fall* when an action that half of the customers took is taken by none.)
        """
        self.lessons += 1
        if self.since >= 0:
            self.since += 1
        if self.lessons <= WARM_UP_LESSONS:
            return False
        if not self.window.update(label - uncalibrated):
            return False
        self.drifts += 1
        self.since = 0
        return True

    @property
    def drift_boost(self) -> float:
        """How many times more than usual the action should be explored now, >= 1."""
        if self.since < 0:
            return 1.0
        # Rounded, so that every machine draws alike.
        return round(1.0 + (MOST_UNREST - 1.0) * math.exp2(-self.since / HALF_UNREST_LESSONS), 6)

    def copy(self) -> Watch:
        """Return an independent copy."""
        return Watch(self.began_at, self.lessons, self.drifts, self.since, self.window.copy())
