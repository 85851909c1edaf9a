"""The screen of the demo: a live view while it runs, and a summary at its end."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from streams.demo.story import Day, Report, StoryAnswer

_SHOWN_DECISIONS = 8
# Without a terminal: a line at this interval instead of the live view.
_LINE_EVERY_S = 5.0


class Screen:
    """A live view on a terminal, else a line every few seconds."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False)
        self._latest: deque[StoryAnswer] = deque(maxlen=_SHOWN_DECISIONS)
        self._live: Live | None = None
        self._report, self._days = Report(), 1
        self._began_s = self._said_s = 0.0
        self._seconds = 0.0

    def say(self, text: str) -> None:
        """Print a line."""
        self._console.print(text)

    @contextmanager
    def live(self, report: Report, days: int, began_s: float, seconds: float) -> Iterator[None]:
        """Show the run of `report` for as long as the context lasts.

        The progress bar is full `seconds` after `began_s`, or after `days` if `seconds` is 0.
        """
        self._report, self._days = report, days
        self._began_s, self._seconds = began_s, seconds
        if not self._console.is_terminal:
            yield
            return
        with Live(console=self._console, refresh_per_second=8) as self._live:
            yield
        self._live = None

    def show(self, day: Day) -> None:
        """Show a finished day."""
        self._latest.extend(day.answered)
        now_s = monotonic()
        if self._live is not None:
            self._live.update(self._picture(day, now_s))
        elif now_s - self._said_s >= _LINE_EVERY_S:
            self._said_s = now_s
            self.say(f"{day.day}  {self._counts()}")
            for answered in list(self._latest)[-2:]:
                self.say(f"    {_line(answered)}")

    def summarise(self, report: Report, result: dict[str, Any]) -> None:
        """Print a summary of the run."""
        table = Table(title=f"{report.days} days of the shop", show_header=False)
        for name, value in result.items():
            table.add_row(name, "-" if value is None else f"{value:,}")
        self._console.print(table)
        first, last = report.response_rate(0), report.response_rate(3)
        if first and last:
            self.say(
                f"Response rate, answered of published actions: {first:.1%} in the first quarter "
                f"of the actions, {last:.1%} in the last ({last / first:.1f} times)."
            )
        expected, at_random = report.expected_rate(3), report.random_rate(3)
        if expected and at_random:
            self.say(
                "Expected rate in the last quarter, by the chances that only the simulator knows: "
                f"{expected:.1%} for our choices, {at_random:.1%} for a random choice among the "
                "same candidates."
            )

    def _picture(self, day: Day, now_s: float) -> Panel:
        lines = Table.grid(padding=(0, 1))
        for answered in self._latest:
            lines.add_row(Text(_line(answered), style="green" if answered.responded else ""))
        body = Group(
            Text(f"{day.day}   {self._counts()}"),
            ProgressBar(total=1.0, completed=self._share(now_s)),
            Text(""),
            lines,
        )
        return Panel(body, title="Concierge: next-best-actions of a gift shop")

    def _share(self, now_s: float) -> float:
        """Return the progress, 0 to 1: by the clock, or by the days if no time is set."""
        if self._seconds:
            return min((now_s - self._began_s) / self._seconds, 1.0)
        return self._report.days / self._days

    def _counts(self) -> str:
        report = self._report
        rate = report.responses / report.actions_published if report.actions_published else 0.0
        return (
            f"{report.events.total():,} events, {report.decisions:,} decisions, "
            f"{report.actions_published:,} actions, response rate so far {rate:.1%}"
        )


def _line(answered: StoryAnswer) -> str:
    action = answered.action
    mark = "+" if answered.responded else " "
    why = "; ".join(action.why)
    return (
        f"{mark} {action.customer}: {action.action} by {action.channel} "
        f"(p {action.propensity:.2f}, chosen with {action.action_probability:.2f}) because {why}"
    )
