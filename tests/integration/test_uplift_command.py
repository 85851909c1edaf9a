"""`concierge uplift` on the embedded broker: from settled decisions to a table, JSON and a plot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from confluent_kafka import Producer

from schemas.records import ENCODER, Lesson, LessonPlace
from schemas.topics import LESSONS
from streams.cli.main import concierge
from streams.shell.kafka.embedded import EmbeddedBroker
from tests.support.checkout import ROOT

CUSTOMERS, DECISIONS_EACH = 1_500, 2


def _lessons(treated: float, without: float, share: float) -> Iterator[Lesson]:
    """Two decisions of each customer; the settled of one partition come in the order of ticks."""
    chance = np.random.default_rng(1)
    hashes = [int(number) for number in chance.integers(0, 2**63, CUSTOMERS)]
    arm_of = {who: "holdout" if chance.random() < share else "treated" for who in hashes}
    for turn in range(DECISIONS_EACH):
        for who in sorted(hashes):
            arm = arm_of[who]
            converted = bool(chance.random() < (without if arm == "holdout" else treated))
            yield Lesson(
                model="customers",
                action=f"offer_{turn}",
                family="tea" if turn else None,
                issue="sell",
                decision_id=f"{who:016x}{turn:08x}",
                feature_version="f",
                features=[1.0],
                label=float(converted),
                action_probability=0.5,
                decided_at_ms=1_700_000_000_000 + turn,
                settled_at_ms=1_700_000_100_000 + turn,
                place=LessonPlace(0, turn, who),
                arm=arm,
                published=arm != "holdout",
                converted=converted,
                spent_minor=1_250 * converted,
                first=6 if turn else 7,
            )


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        yield running


def _settle(broker: EmbeddedBroker, prefix: str, lessons: list[Lesson]) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for lesson in lessons:
        producer.produce(prefix + LESSONS.name, ENCODER.encode(lesson), lesson.model.encode())
    assert producer.flush(20) == 0


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The scenarios' catalogue with a fifth of the customers held out."""
    text = (ROOT / "tests" / "scenarios" / "small_shop.yaml").read_text("utf-8")
    file = tmp_path_factory.mktemp("catalogue") / "shop.yaml"
    file.write_text(text.replace("holdout_ratio: 0\n", "") + "holdout_ratio: 0.2\n", "utf-8")
    return str(file)


def _run(broker: EmbeddedBroker, prefix: str, *arguments: str) -> str:
    done = CliRunner().invoke(
        concierge,
        ["uplift", "--kafka", broker.bootstrap, *arguments],
        env={"CONCIERGE_TOPIC_PREFIX": prefix, "CONCIERGE_APP_ID": f"{prefix}app"},
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    return done.stdout


def _json(broker: EmbeddedBroker, prefix: str, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_run(broker, prefix, "--json", *arguments))
    return found


def test_a_planted_uplift_is_told_with_its_interval_and_drawn(
    broker: EmbeddedBroker, catalogue: str, tmp_path: Path
) -> None:
    lessons = list(_lessons(treated=0.4, without=0.2, share=0.2))
    # A crash of a decide worker sends the last ones again.
    _settle(broker, "planted-", [*lessons, *lessons[-300:]])
    plot = tmp_path / "uplift.svg"
    found = _json(broker, "planted-", "--catalogue", catalogue, "--plot", str(plot))
    assert found["settled"] == len(lessons)
    assert found["repeated"] == 300
    kinds = [(row["kind"], row["name"]) for row in found["uplift"]]
    assert kinds == [
        ("overall", ""),
        ("family", "tea"),
        ("action", "offer_0"),
        ("action", "offer_1"),
    ]
    overall = found["uplift"][0]
    assert 0 < overall["low"] < 1.0 < overall["high"]
    assert found["srm"]["alarm"] is False
    assert sum(found["srm"]["customers"].values()) == pytest.approx(CUSTOMERS, abs=5)
    assert plot.read_text("utf-8").count("<circle") == 4
    text = _run(broker, "planted-", "--catalogue", catalogue)
    assert "Uplift of treated over holdout" in text
    assert "more" in text
    assert "as intended" in text
    assert "offer_0" in _run(broker, "planted-", "--catalogue", catalogue, "--all")
    spent = _json(broker, "planted-", "--catalogue", catalogue, "--value")
    assert spent["uplift"][0]["with"]["mean"] == pytest.approx(1_250 * 0.4, rel=0.1)
    assert spent["currency"] == "EUR"


@pytest.mark.parametrize(
    ("currency", "mean"), [("EUR", "6.11 EUR"), ("JPY", "611 JPY"), ("KWD", "0.611 KWD")]
)
def test_money_is_shown_in_the_catalogues_currency_and_its_minor_units(
    broker: EmbeddedBroker, catalogue: str, tmp_path: Path, currency: str, mean: str
) -> None:
    prefix = f"{currency.lower()}-"
    _settle(broker, prefix, list(_lessons(treated=0.5, without=0.4, share=0.3)))
    elsewhere = tmp_path / "shop.yaml"
    text = Path(catalogue).read_text("utf-8")
    elsewhere.write_text(text.replace("currency: EUR", f"currency: {currency}"), "utf-8")
    shown = _run(broker, prefix, "--value", "--catalogue", str(elsewhere))
    assert mean in shown
    assert all(currency in line for line in shown.splitlines() if "overall" in line)


def test_customers_who_are_dealt_wrongly_raise_the_alarm(
    broker: EmbeddedBroker, catalogue: str
) -> None:
    _settle(broker, "broken-", list(_lessons(treated=0.3, without=0.3, share=0.3)))
    assert _json(broker, "broken-", "--catalogue", catalogue)["srm"]["alarm"] is True
    assert "SAMPLE RATIO MISMATCH" in _run(broker, "broken-", "--catalogue", catalogue)


def test_before_anything_is_settled_nothing_is_claimed(
    broker: EmbeddedBroker, catalogue: str
) -> None:
    _settle(broker, "young-", [])
    Producer({"bootstrap.servers": broker.bootstrap}).list_topics("young-lessons", 10)
    assert "no decision is settled yet" in _run(broker, "young-", "--catalogue", catalogue)


def test_a_catalogue_that_is_not_there_is_named(broker: EmbeddedBroker) -> None:
    done = CliRunner().invoke(
        concierge, ["uplift", "--kafka", broker.bootstrap, "--catalogue", "nowhere.yaml"]
    )
    assert done.exit_code == 1
    assert "nowhere.yaml" in done.output
