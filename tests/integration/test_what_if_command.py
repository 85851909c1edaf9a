"""`concierge what-if` on the embedded broker, over a log in which everything happened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Producer

from schemas.records import ENCODER
from schemas.topics import CATALOGUES, DECISIONS, LESSONS
from schemas.wire import encode_decision
from streams.cli.main import concierge
from streams.shell.kafka.embedded import EmbeddedBroker
from tests.support.made_up import Played, made_up, play
from tests.support.shops import SHOP, LeaningVersions, load

OLD = load()


@pytest.fixture(scope="module")
def played() -> Played:
    return play(
        made_up(7, 1_200, customers=12, without=("switch_catalogue",)), LeaningVersions(OLD), [OLD]
    )


@pytest.fixture(scope="module")
def broker(played: Played) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        producer = Producer({"bootstrap.servers": running.bootstrap})
        producer.produce(CATALOGUES.name, OLD.text.encode(), OLD.version.encode())
        for decision in (*played.out.decisions, *played.out.decisions[-5:]):
            producer.produce(DECISIONS.name, encode_decision(decision), decision.customer.encode())
        for lesson in played.out.lessons:
            producer.produce(LESSONS.name, ENCODER.encode(lesson), lesson.model.encode())
        assert producer.flush(20) == 0
        yield running


def _run(broker: EmbeddedBroker, folder: Path, text: str, *arguments: str) -> Result:
    file = folder / "shop.yaml"
    file.write_text(text, "utf-8")
    return CliRunner().invoke(
        concierge, ["what-if", str(file), "--kafka", broker.bootstrap, *arguments]
    )


def _json(broker: EmbeddedBroker, folder: Path, text: str, *arguments: str) -> dict[str, Any]:
    done = _run(broker, folder, text, "--json", *arguments)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_same_catalogue_decides_the_same(
    broker: EmbeddedBroker, played: Played, tmp_path: Path
) -> None:
    found = _json(broker, tmp_path, SHOP)
    assert found["decisions"] == len(played.out.decisions)
    assert found["switched"] == 0
    assert all(before == after for before, after in found["drops"].values())
    assert found["value"]["settled"] > 50
    assert found["value"]["gain"]["ips"]["value"] in (None, pytest.approx(0.0, abs=1e-9))


def test_a_changed_rule_limit_and_lever_are_told_by_name(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    text = (
        SHOP.replace("not_disliked: family_preference >= 0", "calm: views_1d < 2")
        .replace("max_contacts: 6", "max_contacts: 1")
        .replace("value: 3", "value: 3\n            lever: 3")
    )
    found = _json(broker, tmp_path, text)
    assert found["switched"] > 0
    assert found["drops"]["suitability:calm"][0] == 0 < found["drops"]["suitability:calm"][1]
    before, after = found["drops"]["contact:few_a_day"]
    assert before < after
    shown = _run(broker, tmp_path, text, "--show", "2").output
    assert "another choice with the same draw" in shown
    assert "suitability:calm" in shown
    assert "IPS" in shown


def test_since_and_limit_bound_what_is_decided_again(
    broker: EmbeddedBroker, played: Played, tmp_path: Path
) -> None:
    assert _json(broker, tmp_path, SHOP, "--since", "2100-01-01")["decisions"] == 0
    some = _json(broker, tmp_path, SHOP, "--limit", "40")["decisions"]
    assert 0 < some <= 40 < len(played.out.decisions)


def test_a_broken_catalogue_is_refused_with_its_line(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    done = _run(broker, tmp_path, SHOP.replace("value: 3", "value: lots"))
    assert done.exit_code != 0
    assert "shop.yaml" in str(done.exception)
