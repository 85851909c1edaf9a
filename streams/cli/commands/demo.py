"""`concierge demo`: thirteen months of a real shop, with a simulator that answers the actions."""

from __future__ import annotations

import json
import signal
import sys
from time import monotonic
from typing import Any

import click
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas import topics as t
from streams.cli.reports.demo_screen import Screen
from streams.demo.kafka_road import KafkaRoad
from streams.demo.online_retail import open_shipped, read_invoices
from streams.demo.simulator import Simulator
from streams.demo.story import Report, Story
from streams.demo.worker_process import WorkerFailed, WorkerProcess, as_text
from streams.feed.send_events import FeedError, Sending, producer_settings
from streams.shell.kafka.embedded import EmbeddedBroker
from streams.shell.kafka.topic_admin import create_topics
from streams.shell.kafka.topic_reader import reader_config
from streams.shell.settings.paths import bundled_catalogue
from streams.shell.versions.catalogue_file import parse_catalogue

APP = "concierge-demo"
# The worker's defaults except: the story writes the ticks, the embedded broker does not wake a
# waiting fetch, and dead letters are not expected.
_WORKER = {
    "app_id": APP,
    "clock": "off",
    "fetch_max_wait_ms": 5,
    "dead_letter_limit": 10,
}
# Every four hours of the story a tick is written: timers fire and answers are sent.
_SLICES_PER_DAY = 6


@click.command()
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=100,
    show_default=True,
    help="Stop after this time; 0 runs the story to its end.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the simulator.")
@click.option(
    "--kafka", metavar="HOST:PORT", help="Use these (empty) brokers instead of an embedded one."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line.")
def demo(seconds: float, seed: int, kafka: str | None, as_json: bool) -> int:
    """Run a worker on orders and refunds of a UK gift shop, December 2010 to December 2011.

    Orders and refunds are real (UCI Online Retail, CC BY 4.0). The data has no browsing, support,
    profiles or answers: they come from a seeded simulator of customers with hidden tastes, with ids
    that begin with `sim-`. Events go to an embedded broker, a real worker decides and learns, and
    the simulated customers answer.

    Watch the response rate: the first choices are nearly random, the last ones are learned.
    """
    # As with Ctrl-C, the worker process is ended, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    began_s = monotonic()
    screen = Screen(sys.stderr if as_json else sys.stdout)
    try:
        if kafka is not None:
            result = _play(kafka, seconds, seed, screen, began_s)
        else:
            with EmbeddedBroker() as broker:
                result = _play(broker.bootstrap, seconds, seed, screen, began_s)
    except (WorkerFailed, FeedError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(result))
    return 0


def _play(
    bootstrap: str, seconds: float, seed: int, screen: Screen, began_s: float
) -> dict[str, Any]:
    client = {"bootstrap.servers": bootstrap}
    create_topics(AdminClient(dict(client)), t.all_topics(APP), replication_factor=1)
    shop = bundled_catalogue("shop")
    catalogue = parse_catalogue(shop.read_bytes(), str(shop))
    with open_shipped() as file:
        invoices = list(read_invoices(file))
    screen.say(f"{len(invoices):,} real orders and refunds; starting a worker on {bootstrap}")
    # The road polls for records that it knows to exist, so it needs no end-of-partition events.
    consumer = Consumer(
        {**reader_config(client), "enable.partition.eof": False, "fetch.wait.max.ms": 5}
    )
    watcher = Consumer(reader_config(client))
    ends = _Ends(watcher)
    used = [topic.name for topic in t.TOPICS if ends.total(topic)]
    if used:
        raise click.ClickException(
            f"{bootstrap} is in use: {', '.join(used)} hold records, and the demo would mix its "
            "simulated customers with them. Give it empty brokers, or none"
        )
    try:
        with WorkerProcess(as_text({"kafka": bootstrap, **_WORKER})) as worker:
            road = KafkaRoad(
                Sending(Producer(producer_settings(dict(client)))),
                consumer,
                watcher,
                lambda: worker.reached("intake", lambda: ends.of(t.INPUTS)),
                lambda: worker.reached("decide", lambda: ends.of((t.TIMELINE,))),
            )
            simulator = Simulator(seed, invoices)
            story = Story(simulator, invoices, road, catalogue, _SLICES_PER_DAY)
            days = (simulator.last_day - simulator.first_day).days + 1
            with screen.live(story.report, days, began_s, seconds):
                for day in story.run(stop=lambda: 0 < seconds < monotonic() - began_s):
                    screen.show(day)
            worker.reached("learn", lambda: ends.of((t.LESSONS,)))
            result = _result(story.report, road, worker, ends)
    finally:
        consumer.close()
        watcher.close()
    screen.summarise(story.report, result)
    return result


class _Ends:
    """The end offsets of topics, by "topic/partition"."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    def of(self, topics: tuple[t.Topic, ...]) -> dict[str, int]:
        """Return the ends of all partitions of the topics."""
        return {
            f"{topic.name}/{number}": self._consumer.get_watermark_offsets(
                TopicPartition(topic.name, number), timeout=10.0
            )[1]
            for topic in topics
            for number in range(topic.partitions)
        }

    def total(self, topic: t.Topic) -> int:
        """Return how many records a topic has ever had."""
        return sum(self.of((topic,)).values())


def _result(report: Report, road: KafkaRoad, worker: WorkerProcess, ends: _Ends) -> dict[str, Any]:
    latencies_ms = sorted(road.latencies_ms)
    return {
        "days": report.days,
        "events_in": report.events.total(),
        "timeline_records": ends.total(t.TIMELINE),
        "decisions": report.decisions,
        "actions_published": report.actions_published,
        "no_action": worker.count("concierge_no_action_total"),
        "outcomes": report.outcomes.total(),
        "lessons": worker.count("concierge_lessons_total"),
        "model_versions": worker.count("concierge_model_versions_total"),
        "dead_letters": ends.total(t.DEAD_LETTERS),
        "event_to_action_p50_ms": _percentile(latencies_ms, 0.50),
        "event_to_action_p99_ms": _percentile(latencies_ms, 0.99),
        "response_rate_first_quarter": _rounded(report.response_rate(0)),
        "response_rate_last_quarter": _rounded(report.response_rate(3)),
        "expected_rate_first_quarter": _rounded(report.expected_rate(0)),
        "expected_rate_last_quarter": _rounded(report.expected_rate(3)),
        "random_choice_rate_first_quarter": _rounded(report.random_rate(0)),
        "random_choice_rate_last_quarter": _rounded(report.random_rate(3)),
    }


def _percentile(ordered: list[int], share: float) -> int | None:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else None


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 4)
