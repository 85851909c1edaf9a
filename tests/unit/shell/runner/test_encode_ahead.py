"""Encoding along the way: a little now and then, and what fails there is told."""

from __future__ import annotations

import asyncio

import pytest

from streams.shell.runner import encode_ahead as ahead


class Role:
    def __init__(self, fails: bool = False) -> None:
        self.asked: list[int] = []
        self.twice = asyncio.Event()
        self._fails = fails

    def encode_ahead(self, most: int) -> int:
        self.asked.append(most)
        if len(self.asked) == 2:
            self.twice.set()
        if self._fails:
            raise ValueError("anna cannot be encoded")
        return 0


def test_a_role_encodes_while_the_block_lasts_and_no_longer() -> None:
    async def scenario() -> None:
        role = Role()
        with ahead.encoding_in_background(role):
            await role.twice.wait()
        asked = len(role.asked)
        await asyncio.sleep(5 * ahead._EVERY_S)
        assert len(role.asked) == asked
        assert 0 < min(role.asked) <= max(role.asked) <= ahead._SLICE

    asyncio.run(scenario())


def test_what_cannot_be_encoded_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        role = Role(fails=True)
        with ahead.encoding_in_background(role):
            while not role.asked:
                await asyncio.sleep(0)
            await asyncio.sleep(5 * ahead._EVERY_S)
        assert len(role.asked) == 1

    asyncio.run(scenario())
    assert [record.name for record in caplog.records] == ["concierge.checkpoint"]


def test_a_worker_that_is_catching_up_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "_BUSY_S", 0.0)

    async def scenario() -> None:
        role = Role()
        with ahead.encoding_in_background(role):
            await asyncio.sleep(5 * ahead._EVERY_S)
        assert role.asked == []

    asyncio.run(scenario())


def test_a_role_without_state_is_not_asked() -> None:
    async def scenario() -> None:
        with ahead.encoding_in_background(object()):
            await asyncio.sleep(2 * ahead._EVERY_S)

    asyncio.run(scenario())
