"""`concierge dead-letters`: refused input records, the reasons, and their bytes."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime

import click
from rich.table import Table
from rich.text import Text

from schemas.dead_letter_record import DeadLetter, read_dead_letter
from schemas.reasons import REASONS
from schemas.topics import DEAD_LETTERS
from streams.cli.console import stdout_console
from streams.cli.options import kafka_option, settings_from
from streams.cli.read_topic import read_topic

_SHOWN_BYTES = 60


@click.command("dead-letters")
@kafka_option
@click.option("--reason", type=click.Choice(sorted(REASONS)), help="Only this reason.")
@click.option("--topic", help="Only records of this input topic.")
@click.option(
    "--last", type=click.IntRange(1), default=20, show_default=True, help="How many to show."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, values in hex.")
def dead_letters(
    kafka: str | None, reason: str | None, topic: str | None, last: int, as_json: bool
) -> int:
    """Show refused records: counts by topic and reason, then the latest, each with its reason."""
    settings = settings_from(kafka)
    found: list[DeadLetter] = []
    counts: Counter[tuple[str, str]] = Counter()
    foreign = 0
    for messages in read_topic(settings, DEAD_LETTERS):
        for message in messages:
            try:
                letter = read_dead_letter(message.key(), message.value(), message.headers())
            except ValueError:
                foreign += 1
                continue
            if _wanted(letter, reason, topic):
                counts[letter.origin.topic, letter.rejection.reason] += 1
                found.append(letter)
        found = sorted(found, key=lambda each: each.first_failed_at_ms)[-last:]
    if foreign:
        click.echo(f"{foreign} records of the topic are not dead letters of Concierge", err=True)
    if as_json:
        for letter in found:
            click.echo(json.dumps(_as_json(letter)))
        return 0
    _print(found, counts)
    return 0


def _wanted(letter: DeadLetter, reason: str | None, topic: str | None) -> bool:
    return (reason is None or letter.rejection.reason == reason) and (
        topic is None or letter.origin.topic == topic
    )


def _as_json(letter: DeadLetter) -> dict[str, object]:
    return {
        "topic": letter.origin.topic,
        "partition": letter.origin.partition,
        "offset": letter.origin.offset,
        "reason": letter.rejection.reason,
        "detail": letter.rejection.detail,
        "first_failed_at_ms": letter.first_failed_at_ms,
        "version": letter.version,
        "key_hex": None if letter.key is None else letter.key.hex(),
        "value_hex": None if letter.value is None else letter.value.hex(),
    }


def _print(letters: list[DeadLetter], counts: Counter[tuple[str, str]]) -> None:
    console = stdout_console()
    if not counts:
        console.print("no dead letters")
        return
    totals = Table("records", "topic", "reason", "meaning", title="Dead letters")
    for (topic, reason), count in counts.most_common():
        meaning = REASONS[reason].meaning if reason in REASONS else "a reason of another release"
        totals.add_row(str(count), Text(topic), Text(reason), meaning)
    console.print(totals)
    latest = Table("refused at (UTC)", "where", "why", "value begins", title="The latest")
    for letter in letters:
        when = datetime.fromtimestamp(letter.first_failed_at_ms / 1000, UTC)
        origin = letter.origin
        latest.add_row(
            f"{when:%Y-%m-%d %H:%M:%S}",
            Text(f"{origin.topic}/{origin.partition} @ {origin.offset}"),
            Text(f"{letter.rejection.reason}: {letter.rejection.detail}"),
            Text(repr((letter.value or b"")[:_SHOWN_BYTES])),
        )
    console.print(latest)
