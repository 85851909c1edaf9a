"""The leader's clock waits for what can be read, and for what is held back only for a while."""

from __future__ import annotations

import logging

import pytest

from streams.shell.kafka_records import Partition
from streams.shell.telemetry.progress import PartitionProgress, RoleProgress
from streams.shell.versions.catch_up import CatchUp

_HELD, _OTHER = Partition("clickstream", 0), Partition("outcomes", 2)


class _World:
    def __init__(self, **partitions: PartitionProgress) -> None:
        self.now_s = 0.0
        self.held = partitions.get("held", PartitionProgress(5, 5, 9, 5))
        self.role = RoleProgress(recovered=True, partitions={_HELD: self.held})
        self.caught_up = CatchUp(lambda: self.role, 60.0, lambda: self.now_s)


def test_time_goes_on_once_everything_that_waited_is_read() -> None:
    world = _World(held=PartitionProgress(8, 8, 9, 9))
    assert not world.caught_up()
    world.held.position = 9
    assert world.caught_up()


def test_a_role_without_its_state_has_not_caught_up_however_long_it_takes() -> None:
    world = _World()
    world.role.recovered = False
    for world.now_s in (0.0, 1_000.0):
        assert not world.caught_up()


def test_what_is_held_back_is_waited_for_and_then_gone_on_without(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = _World()
    with caplog.at_level(logging.INFO):
        for world.now_s in (0.0, 1.0, 59.0):
            assert not world.caught_up()
        world.now_s = 61.0
        assert world.caught_up()
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
    assert "clickstream/0" in caplog.records[0].getMessage()


def test_a_transaction_that_ends_in_time_is_read_first() -> None:
    world = _World()
    assert not world.caught_up()
    world.now_s = 59.0
    world.held.readable_end = 10
    assert not world.caught_up()
    world.now_s = 1_000.0
    assert not world.caught_up()
    world.held.position = 10
    assert world.caught_up()


def test_nothing_is_given_up_while_something_else_can_be_read() -> None:
    world = _World()
    world.role.partitions[_OTHER] = PartitionProgress(0, 0, 100, 100)
    for world.now_s in (0.0, 100.0):
        assert not world.caught_up()
    world.role.partitions[_OTHER].position = 100
    assert not world.caught_up()
    world.now_s = 161.0
    assert world.caught_up()


def test_ends_that_are_not_known_are_no_reason_to_go_on() -> None:
    world = _World(held=PartitionProgress(5, 5, 9, -1))
    for world.now_s in (0.0, 1_000.0):
        assert not world.caught_up()
