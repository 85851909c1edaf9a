"""The examples of the README lead to actions: their very lines, run beside a real worker."""

from __future__ import annotations

import os
import runpy
import sys
import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Message

from schemas.topics import NEXT_BEST_ACTIONS
from schemas.wire import encode_event
from streams.cli.main import concierge
from streams.demo.worker_process import as_text
from streams.shell.kafka.embedded import EmbeddedBroker
from tests.integration.world import Given, World
from tests.integration.world_worker import Worker
from tests.support.checkout import ROOT
from tests.support.fake_registry import FakeRegistry
from tests.support.patience import PATIENCE_S

EXAMPLES = ROOT / "deploy" / "examples"


@pytest.fixture
def world(embedded_broker: EmbeddedBroker, topic_prefix: str) -> Iterator[World]:
    # As a newcomer starts it: the shop that ships with Concierge, the wall clock.
    made = World(embedded_broker.bootstrap, topic_prefix, clock="wall", clock_interval_ms=60_000)
    yield made
    made.close()


def _start(world: World, monkeypatch: pytest.MonkeyPatch, **settings: str) -> Worker:
    """Start a worker; its settings are those of the examples, and examples wait for it."""
    world.create_topics()
    worker = world.start(**settings)
    worker.await_ready()
    for name in [name for name in os.environ if name.startswith("CONCIERGE_")]:
        monkeypatch.delenv(name)
    asked = {name: world.settings[name] for name in ("kafka", "app_id", "topic_prefix")}
    for name, value in as_text({**asked, **settings}).items():
        monkeypatch.setenv(name, value)
    sleep = time.sleep

    def pause(seconds: float) -> None:
        # The example's own pause; waiting for the worker sleeps, too, and for less.
        if seconds < 1:
            sleep(seconds)
        else:
            world.await_read(worker, "intake")

    class Patient(Consumer):
        """Reads all there is, however long it takes; the example itself waits some seconds."""

        read = 0

        def poll(self, timeout: float = -1) -> Message | None:
            world.await_settled(worker)
            begun = sum(max(partition.offset, 0) for partition in self.assignment())
            if self.read == sum(world.ends([NEXT_BEST_ACTIONS]).values()) - begun:
                return None
            record = super().poll(PATIENCE_S)
            self.read += record is not None and record.error() is None
            return record

    monkeypatch.setattr(time, "sleep", pause)
    monkeypatch.setattr("confluent_kafka.Consumer", Patient)
    return worker


def _run(monkeypatch: pytest.MonkeyPatch, example: str, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", [example, *arguments])
    runpy.run_path(str(EXAMPLES / example), run_name="__main__")


def test_an_event_of_ones_own_leads_to_an_action(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _start(world, monkeypatch)
    customers = [f"ada-{number}" for number in range(6)]
    for customer in customers:
        consent = ("kind=consent", "purpose=marketing", "granted=true")
        _run(monkeypatch, "own_event.py", "profile", f"customer_id={customer}", *consent)
    assert capsys.readouterr().out.count("No action within five seconds") == 6
    for customer in customers:
        search = ("kind=search", "family=candles_lights", "channel=web")
        _run(monkeypatch, "own_event.py", "clickstream", f"customer_id={customer}", *search)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    # By chance a customer may be in the control group, or get nothing.
    actions = [line for line in lines if line.startswith("suggest_")]
    assert len(actions) >= 3
    assert all("you were looking for something just now" in line for line in actions)


def test_the_first_example_leads_to_actions(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _start(world, monkeypatch)
    _run(monkeypatch, "first_action.py")
    lines = [line.split(" | ") for line in capsys.readouterr().out.splitlines()]
    # A few may be held out or see nothing by chance: which, depends on the places of the ticks.
    assert 12 <= len(lines) <= 20
    assert len({customer for customer, *_ in lines}) == len(lines)
    assert {channel for _, _, channel, _ in lines} == {"web"}


def test_where_no_customer_has_agreed_check_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a newcomer sees it: views come in, each decision is no_action, and nothing looks wrong."""
    world.create_topics()
    worker = world.start()
    worker.await_ready()
    now_ms = int(time.time() * 1_000)
    for number in range(20):
        view = {"event_id": f"e-{number}", "customer_id": f"v-{number}", "occurred_at": now_ms}
        click = {**view, "kind": "view", "family": "candles_lights", "channel": "web"}
        world.send([Given("clickstream", None, encode_event("clickstream", click))])
    world.await_settled(worker)
    asked = {name: world.settings[name] for name in ("kafka", "app_id", "topic_prefix")}
    for name, value in as_text(asked).items():
        monkeypatch.setenv(name, value)
    assert concierge.main(["check"], standalone_mode=False) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "consent to marketing (opt_in in the catalogue): missing in each of the newest 20" in said
    )
    assert "consent to personalization" not in said


@pytest.mark.long
def test_it_does_beside_a_registry(
    world: World,
    server: FakeRegistry,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where the ids of bundled schemas mean nothing."""
    _start(world, monkeypatch, schema_registry_url=server.url)
    _run(monkeypatch, "first_action.py")
    assert len(capsys.readouterr().out.splitlines()) >= 12
    assert {f"{world.prefix}profile-value", f"{world.prefix}clickstream-value"} <= {
        *server.subjects
    }
