"""Send the events of a feed with a progress bar, and print a summary of all rows."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from streams.feed.file_feed import FileFeed
from streams.feed.reject_file import RejectFile
from streams.feed.send_events import Sending
from streams.feed.sent_event import Event, Sent
from streams.feed.unknown_families import UnknownFamilies

_SHOW_EVERY = 500
_SHOWN_EVENTS = 3


def send_all(
    run: FileFeed, sending: Sending | None, first: list[Event], families: UnknownFamilies | None
) -> None:
    """Send a feed's events, or only check them; the first few are added to `first`.

    `families` counts families that the catalogue does not name, None without a catalogue.

    After an error, too, it waits for records in flight, so that the sums are right.
    """
    with _progress() as progress:
        task = progress.add_task("events", total=max(run.sums.events, 1), rejected=0)
        events = _watched(run, first, progress, task)
        if families is not None:
            events = families.noted(events)
        if sending is None:
            for _ in events:
                pass
            return
        try:
            sending.send(events)
            sending.finish()
        except BaseException:
            sending.settle()
            raise


def _watched(run: FileFeed, first: list[Event], progress: Progress, task: TaskID) -> Iterator[Sent]:
    for number, sent in enumerate(run.events()):
        if number < _SHOWN_EVENTS:
            first.append(sent[1])
        if number % _SHOW_EVERY == 0:
            progress.update(task, completed=run.sums.looked_at, rejected=run.sums.rejected)
        yield sent
    progress.update(task, completed=run.sums.looked_at, rejected=run.sums.rejected)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn(
            "{task.completed:,.0f} of {task.total:,.0f}  {task.fields[rejected]:,} rejected"
        ),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def summarise(
    run: FileFeed,
    kept: RejectFile,
    sending: Sending | None,
    first: list[Event],
    seconds: float,
    *,
    as_json: bool,
) -> None:
    """Print rejected rows, sent events, and how to continue if not all were sent."""
    for rejected in kept.shown:
        topic = f" ({rejected.topic})" if rejected.topic else ""
        click.echo(f"rejected {rejected.place}{topic}: {rejected.reason}", err=True)
    if kept.count > len(kept.shown):
        click.echo(f"rejected {kept.count - len(kept.shown):,} more", err=True)
    if kept.path is not None and kept.count:
        click.echo(f"rejected rows are in {kept.path}", err=True)
    acknowledged, verb = None, "would send"
    if sending is not None:
        acknowledged = sending.acknowledged.total()
        all_arrived = acknowledged == sending.sent.total()
        verb = "sent" if all_arrived else "handed to the client, not all acknowledged:"
        if not all_arrived or run.sums.looked_at < run.sums.events:
            _print_how_to_continue(run, sending)
    for event in first if sending is None else ():
        click.echo(json.dumps(event, ensure_ascii=False))
    for sums in run.sums.topics:
        click.echo(sums.in_words(verb))
    comments = run.sums.comment_lines
    skipped = f", {comments:,} comment lines before the header skipped" if comments else ""
    click.echo(
        f"{run.sums.rows:,} rows read, {run.sums.lines_rejected:,} lines rejected{skipped}; "
        f"{seconds:.1f} s"
    )
    if as_json:
        found = run.sums.as_json() | {
            "dry_run": sending is None,
            "acknowledged": acknowledged,
            "seconds": round(seconds, 1),
        }
        click.echo(json.dumps(found))


def _print_how_to_continue(run: FileFeed, sending: Sending) -> None:
    place = run.place_of(sending.all_acknowledged_before)
    click.echo(
        f"not all was sent: {sending.acknowledged.total():,} of {run.sums.events:,} events are "
        f"acknowledged. Continue with the same files and --skip {place}: all events before that "
        "are on their topics. Some after it may be, too; they count once, by their ids",
        err=True,
    )
