"""Ends are asked for all partitions at once; an error of one is not that of the others."""

from __future__ import annotations

import time
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.shell.kafka.partition_ends import End, ask_ends
from streams.shell.kafka_records import Partition

_ONE, _TWO = Partition("clickstream", 0), Partition("clickstream", 5)


class _Admin:
    """Answers with an offset, or an error, by partition: (last stable offset, high watermark)."""

    def __init__(self, answers: dict[Partition, tuple[int, int] | int]) -> None:
        self._answers = answers
        self.asked = 0

    def list_offsets(
        self, wanted: dict[TopicPartition, Any], *, isolation_level: Any, request_timeout: float
    ) -> dict[TopicPartition, Future[Any]]:
        self.asked += 1
        level = 0 if isolation_level is IsolationLevel.READ_COMMITTED else 1
        futures: dict[TopicPartition, Future[Any]] = {}
        for asked in wanted:
            answer = self._answers[Partition(asked.topic, asked.partition)]
            future: Future[Any] = Future()
            futures[asked] = future
            if isinstance(answer, int):
                future.set_exception(KafkaException(KafkaError(answer)))
            else:
                future.set_result(SimpleNamespace(offset=answer[level]))
        return futures


def _asked(answers: dict[Partition, tuple[int, int] | int]) -> tuple[dict[Partition, End], str]:
    return ask_ends(cast(AdminClient, _Admin(answers)), list(answers), 1.0)


def test_both_ends_of_every_partition_come_from_two_questions() -> None:
    admin = _Admin({_ONE: (7, 9), _TWO: (3, 3)})
    ends, wrong = ask_ends(cast(AdminClient, admin), [_ONE, _TWO], 1.0)
    assert (ends, wrong) == ({_ONE: End(7, 9), _TWO: End(3, 3)}, "")
    assert [end.held_back for end in ends.values()] == [2, 0]
    assert admin.asked == 2


def test_a_partition_that_is_not_known_yet_is_named_and_the_others_are_answered() -> None:
    ends, wrong = _asked({_ONE: (7, 7), _TWO: KafkaError._UNKNOWN_PARTITION})
    assert ends == {_ONE: End(7, 7)}
    assert wrong.startswith("clickstream/5: ")


def test_only_unknown_partitions_are_an_answer_all_the_same() -> None:
    ends, wrong = _asked({_TWO: KafkaError._UNKNOWN_PARTITION})
    assert not ends
    assert "clickstream/5" in wrong


class _SilentAdmin:
    """Never answers."""

    def list_offsets(
        self, wanted: dict[TopicPartition, Any], **_: Any
    ) -> dict[TopicPartition, Future[Any]]:
        return {asked: Future() for asked in wanted}


def test_brokers_that_never_answer_are_no_answer_and_are_waited_for_once() -> None:
    places = [Partition("clickstream", partition) for partition in range(500)]
    began_s = time.monotonic()
    with pytest.raises(KafkaException) as raised:
        ask_ends(cast(AdminClient, _SilentAdmin()), places, 0.01)
    assert raised.value.args[0].code() == KafkaError._TIMED_OUT
    # One partition after the other would take ten seconds.
    assert time.monotonic() - began_s < 5.0


def test_one_leader_that_is_away_is_no_silence_and_all_of_them_are() -> None:
    ends, wrong = _asked({_ONE: (7, 7), _TWO: KafkaError._TIMED_OUT})
    assert list(ends) == [_ONE]
    assert "clickstream/5" in wrong
    with pytest.raises(KafkaException):
        _asked({_ONE: KafkaError._TRANSPORT, _TWO: KafkaError._TIMED_OUT})
