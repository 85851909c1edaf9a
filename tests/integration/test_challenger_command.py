"""`concierge challenger` on the embedded broker, over a log in which everything happened."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from confluent_kafka import Producer

from schemas.records import ENCODER, MODEL
from schemas.topics import CATALOGUES, DECISIONS, LESSONS
from schemas.wire import encode_decision
from streams.cli.main import concierge
from streams.core.engine.engine import Outputs
from streams.core.state.partition import PartitionState, SwitchedVersion
from streams.shell.kafka.embedded import EmbeddedBroker
from tests.support.made_up import made_up, play
from tests.support.memory import Log
from tests.support.shops import SHOP, LeaningVersions, load

ALONE, CHALLENGED = load(), load(SHOP + "challenger: careful\n")


@pytest.fixture(scope="module")
def out() -> Outputs:
    """What comes of a log under a catalogue with a challenger that leans elsewhere."""
    made = made_up(7, 1_200, customers=12, without=("switch_catalogue",))
    records = play(made, LeaningVersions(ALONE), [ALONE]).records[1:]
    log = Log(LeaningVersions(CHALLENGED))
    switches = [
        SwitchedVersion(0, "catalogue", "catalogue", CHALLENGED.version),
        SwitchedVersion(0, MODEL, "main.careful", "000000000009"),
    ]
    log.store.put_partition_state(PartitionState(switches=switches))
    return log.play(records)


@pytest.fixture(scope="module")
def broker(out: Outputs) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        producer = Producer({"bootstrap.servers": running.bootstrap})
        producer.produce(CATALOGUES.name, CHALLENGED.text.encode(), CHALLENGED.version.encode())
        # The last ones are sent again after a crash.
        for decision in (*out.decisions, *out.decisions[-5:]):
            producer.produce(DECISIONS.name, encode_decision(decision), decision.customer.encode())
        for lesson in out.lessons:
            producer.produce(LESSONS.name, ENCODER.encode(lesson), lesson.model.encode())
        assert producer.flush(20) == 0
        yield running


def test_match_rate_foresight_and_value_are_told_beside_those_of_the_model_in_use(
    broker: EmbeddedBroker, out: Outputs
) -> None:
    arguments = ["challenger", "--kafka", broker.bootstrap]
    done = CliRunner().invoke(concierge, [*arguments, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)["challengers"]["main.careful"]
    assert told["in_use"] == "main"
    assert told["decisions"] == len(out.decisions)
    same = sum(d.challenger is not None and d.challenger.chosen == d.chosen for d in out.decisions)
    assert told["match_rate"] == pytest.approx(same / len(out.decisions))
    assert 0 < told["match_rate"] < 1
    for model in ("in_use", "challenger"):
        assert told["progressive"][model]["outcomes"] > 50
        assert told["progressive"][model]["log_loss"] > 0
    assert told["value"]["settled"] > 50
    text = CliRunner().invoke(concierge, arguments, catch_exceptions=False).stdout
    assert "main.careful beside main" in text
    assert "calibration error" in text
    assert "SNIPS" in text
    assert "`learner: careful`" in text
