"""`concierge explain`: the funnel of a customer's decisions, read from the decisions topic."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from threading import Event
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from schemas.records import Decision
from schemas.topics import DECISIONS, customers_changelog
from schemas.wire import decode_decision
from streams.analysis.nearest_change import distances, nearest_change
from streams.analysis.state_view import view
from streams.cli.console import stdout_console
from streams.cli.options import kafka_option, settings_from
from streams.cli.published_catalogues import PublishedCatalogues
from streams.cli.read_topic import read_topic
from streams.core.catalogue.values import Catalogue
from streams.core.features.definitions import (
    ACTION_FEATURES,
    CUSTOMER_FEATURES,
    FEATURE_VERSION,
    Feature,
)
from streams.core.features.extract import natural_value
from streams.core.ids import stripped
from streams.core.money import MINOR_UNITS, format_minor
from streams.core.state.codec import decode_customer
from streams.shell.kafka.client_config import librdkafka_config
from streams.shell.kafka.producers import partition_of_key
from streams.shell.kafka.registry import RegistrySchemas
from streams.shell.kafka.topic_admin import partitions_of
from streams.shell.settings.settings import Settings
from streams.shell.state.changelog import (
    newest_states,
)
from streams.shell.wall_clock import now_ms

_ID_LENGTH = 24


@click.command()
@click.argument("target", metavar="CUSTOMER|DECISION_ID")
@kafka_option
@click.option(
    "--last", type=click.IntRange(1), default=1, show_default=True, help="How many decisions."
)
@click.option("--features", is_flag=True, help="Also print the features.")
@click.option("--state", is_flag=True, help="Print the customer's stored state instead.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def explain(
    target: str, kafka: str | None, last: int, features: bool, state: bool, as_json: bool
) -> int:
    """Show why a customer got (or did not get) an action.

    Prints the whole funnel of the customer's latest decision, or of the decision with this id. A
    dropped action is shown with the tier and rule that dropped it, and how far the customer was
    from passing. A candidate is shown with its propensity, priority and probability. The last line
    is a smallest change of one rule's input that would have put another action first.
    """
    settings, target = settings_from(kafka), stripped(target)
    if state:
        click.echo(json.dumps(_state(settings, target), indent=2, ensure_ascii=False))
        return 0
    found = _find(settings, target, last)
    if not found:
        raise click.ClickException(
            f'no decision with this id, and none for a customer "{target}", is on the decisions '
            "topic: it may be older than the topic's retention, or no decision was due yet"
        )
    console, catalogues = stdout_console(), PublishedCatalogues(settings)
    for decision in found:
        if as_json:
            click.echo(json.dumps(msgspec.to_builtins(decision)))
        else:
            _print(console, decision, features, catalogues.get(decision.catalogue_version))
    return 0


def _find(settings: Settings, target: str, last: int) -> list[Decision]:
    """Read the customer's partition of the topic, or all of them for a decision id."""
    schemas = RegistrySchemas(settings) if settings.schema_registry_url else None
    is_id = len(target) == _ID_LENGTH and set(target) <= set("0123456789abcdef")
    key = target.encode()
    found: list[Decision] = []
    with Progress(transient=True, console=Console(stderr=True)) as progress:
        task = progress.add_task("reading decisions", total=None)
        for messages in read_topic(settings, DECISIONS, key=None if is_id else key):
            progress.advance(task, len(messages))
            for message in messages:
                if is_id or message.key() == key:
                    decision = decode_decision(message.value() or b"", schemas)
                    if target in (decision.customer, decision.decision_id):
                        found.append(decision)
            # After a crash a decision may be on its topic twice, with the same content.
            unique = {decision.decision_id: decision for decision in found}
            found = sorted(unique.values(), key=lambda each: each.decided_at_ms)[-last:]
    return found


def _state(settings: Settings, customer: str) -> dict[str, Any]:
    """Return the customer's state as of the last checkpoint, its sums decayed until now."""
    client = librdkafka_config(settings)
    topic = customers_changelog(settings.app_id).name
    number = partition_of_key(customer.encode(), len(partitions_of(client, topic)))
    data = newest_states(client, topic, [number], Event())[number].get(customer)
    if data is None:
        raise click.ClickException(f'there is no state of a customer "{customer}"')
    return view(decode_customer(data), now_ms())


def _print(
    console: Console, decision: Decision, features: bool, catalogue: Catalogue | str
) -> None:
    when = datetime.fromtimestamp(decision.decided_at_ms / 1000, UTC)
    what = decision.chosen if decision.published else f"{decision.chosen} (not published)"
    console.print(
        f"[bold]{escape(decision.customer)}[/] at {when:%Y-%m-%d %H:%M:%S} UTC: {decision.moment} "
        f"-> [bold]{what}[/]  (arm {decision.arm})"
    )
    if decision.shadow is not None:
        console.print(f"with the actions on trial it would have been {escape(decision.shadow)}")
    if decision.why:
        console.print(Text("why: " + "; ".join(decision.why)))
    console.print(
        f"decision {decision.decision_id}, triggered by {escape(decision.trigger.id)} "
        f"({decision.trigger.topic}/{decision.trigger.partition} @ {decision.trigger.offset})\n"
        f"catalogue {decision.catalogue_version}, model {decision.model_version}, "
        f"features {decision.feature_version}"
    )
    far = {} if isinstance(catalogue, str) else distances(decision, catalogue)
    table = Table(
        *("action", "fate", "propensity", "priority", "probability", "what was missing"),
        title="The funnel",
    )
    for index in _shown_order(decision):
        chosen = decision.actions[index] == decision.chosen
        candidate = decision.fates[index] == "candidate"
        numbers = (
            f"{decision.propensities[index]:.4f}",
            f"{decision.priorities[index]:.4f}",
            f"{decision.probabilities[index]:.4f}",
        )
        table.add_row(
            decision.actions[index],
            "chosen" if chosen else decision.fates[index],
            *(numbers if candidate else ("", "", "")),
            far[decision.actions[index]].sentence() if decision.actions[index] in far else "",
            style="bold green" if chosen else None if candidate else "dim",
        )
    console.print(table)
    if isinstance(catalogue, str):
        console.print(Text(f"What the dropped actions were missing is not known: {catalogue}."))
    elif (nearest := nearest_change(decision, far, catalogue)) is not None:
        console.print(Text(f"The smallest change that would have led elsewhere: {nearest.says}."))
    if features:
        console.print(_features(decision, "" if isinstance(catalogue, str) else catalogue.currency))


def _shown_order(decision: Decision) -> list[int]:
    """Return the indexes of the actions: candidates by probability, then those dropped, by rule."""
    return sorted(
        range(len(decision.actions)),
        key=lambda p: (
            decision.fates[p] != "candidate",
            -decision.probabilities[p],
            decision.fates[p],
            decision.actions[p],
        ),
    )


def _features(decision: Decision, currency: str) -> Table:
    table = Table("feature", "value", "unit", title="Features")
    if decision.feature_version != FEATURE_VERSION:
        table.caption = "features of another release: shown by number"
        for index, value in enumerate(decision.features):
            table.add_row(f"#{index}", f"{value:.4g}", "")
        return table
    for feature, value in zip(CUSTOMER_FEATURES, decision.features, strict=True):
        table.add_row(*_feature(feature, value, currency))
    if decision.chosen in decision.actions[:-1]:
        width = len(ACTION_FEATURES)
        start = decision.actions.index(decision.chosen) * width
        row = decision.action_features[start : start + width]
        for feature, value in zip(ACTION_FEATURES, row, strict=True):
            table.add_row(*_feature(feature, value, currency))
    return table


def _feature(feature: Feature, seen: float, currency: str) -> tuple[str, str, str]:
    """Return a feature's name, value and unit; money in the catalogue's currency, if known."""
    value, unit = natural_value(feature.name, seen), feature.unit
    if currency and unit.startswith(MINOR_UNITS):
        return feature.name, format_minor(value, currency), unit.removeprefix(f"{MINOR_UNITS}, ")
    return feature.name, f"{value:.4g}", unit
