"""Snapshots are read before the ends of the lessons are asked for; tombstones remove versions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streams.shell.versions import snapshot_reader
from streams.shell.versions.snapshot_reader import read_snapshots
from streams.shell.versions.version_store import snapshot_key


class _Message:
    def __init__(self, key: bytes | None, value: bytes | None) -> None:
        self._key, self._value = key, value

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value


def test_a_model_has_the_versions_that_are_published_now(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    messages = [
        _Message(snapshot_key("main", "1"), b"old"),
        _Message(snapshot_key("main", "2"), b"new"),
        _Message(snapshot_key("gone", "1"), b"once"),
        _Message(snapshot_key("main", "1"), None),
        _Message(snapshot_key("gone", "1"), None),
        _Message(b"\xff", b"another program's"),
    ]

    def read_to_end(client: Any, topic: str, partitions: Any, give_up: Any) -> Any:
        asked.append(topic)
        return iter([messages[:3], messages[3:]])

    def ends(client: Any, topic: str) -> dict[int, int]:
        asked.append(topic)
        return {0: 7}

    monkeypatch.setattr(snapshot_reader, "partitions_of", lambda client, topic: [0])
    monkeypatch.setattr(snapshot_reader, "read_to_end", read_to_end)
    monkeypatch.setattr(snapshot_reader, "_ends", ends)
    published = asyncio.run(read_snapshots({}, "snapshots", "lessons"))
    assert published.snapshots == {"main": {"2": b"new"}}
    assert published.lesson_ends == {0: 7}
    assert asked == ["snapshots", "lessons"]
