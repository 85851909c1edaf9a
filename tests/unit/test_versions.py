"""Versions are waited for, compiled once, and missed in so many words."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from models.protocol import ActionKey, Scorer
from streams.core.catalogue import Catalogue
from streams.runtime.compiled import CompiledVersions
from streams.runtime.versions import (
    CATALOGUE,
    MODEL,
    VersionMissing,
    VersionStore,
    named,
    snapshot_key,
)


def store(available_within_s: float = 5.0) -> VersionStore:
    return VersionStore({}, "snapshots", "catalogues", lambda error: None, available_within_s)


def test_a_key_tells_what_it_names() -> None:
    assert named(MODEL, snapshot_key("a@b", "000000000007")) == (MODEL, "a@b", "000000000007")
    assert named(CATALOGUE, b"abc") == (CATALOGUE, CATALOGUE, "abc")


def test_whoever_waits_for_a_version_goes_on_when_it_comes() -> None:
    async def scenario() -> None:
        versions = store()
        waiting = asyncio.create_task(versions.available(MODEL, "main", "1"))
        await asyncio.sleep(0)
        assert not waiting.done()
        versions.hold((MODEL, "main", "1"), b"weights")
        await waiting
        assert versions.get(MODEL, "main", "1") == b"weights"

    asyncio.run(scenario())


def test_a_version_that_does_not_come_is_missed_by_name() -> None:
    async def scenario() -> None:
        with pytest.raises(VersionMissing, match="model main version 9"):
            await store(0.01).available(MODEL, "main", "9")

    asyncio.run(scenario())


def test_a_model_version_that_is_no_longer_kept_is_stood_for_by_the_oldest_newer_one() -> None:
    async def scenario() -> None:
        versions = store()
        for version in ("1", "2", "3"):
            versions.hold((MODEL, "main", version), version.encode())
        versions.hold((MODEL, "main", "1"), None)
        await asyncio.wait_for(versions.available(MODEL, "main", "1"), 1.0)
        assert versions.get(MODEL, "main", "1") == b"2"
        with pytest.raises(KeyError):
            versions.get(MODEL, "main", "4")
        with pytest.raises(KeyError):
            versions.get(CATALOGUE, CATALOGUE, "1")

    asyncio.run(scenario())


def test_a_version_whose_tombstone_is_compacted_away_is_found_gone() -> None:
    async def scenario() -> None:
        versions = store(0.02)
        versions.hold((MODEL, "main", "5"), b"newer")
        await versions.available(MODEL, "main", "4")
        assert versions.get(MODEL, "main", "4") == b"newer"

    asyncio.run(scenario())


def test_a_tombstone_takes_a_version_away() -> None:
    versions = store()
    versions.hold((MODEL, "main", "1"), b"weights")
    versions.hold((MODEL, "main", "1"), None)
    with pytest.raises(KeyError):
        versions.get(MODEL, "main", "1")


def test_a_model_whose_snapshots_were_removed_is_decided_untrained() -> None:
    async def scenario() -> None:
        versions = store()
        versions.hold((MODEL, "main", "1"), b"weights")
        versions.hold((MODEL, "main", "1"), None)
        await asyncio.wait_for(versions.available(MODEL, "main", "1"), 1.0)
        assert versions.snapshot("main", "1") is None
        with pytest.raises(KeyError):
            versions.snapshot("main", "2")

    asyncio.run(scenario())


def test_scorers_and_catalogues_are_made_once_per_version() -> None:
    versions = store()
    versions.hold((MODEL, "main", "1"), b"weights")
    versions.hold((CATALOGUE, CATALOGUE, "c"), b"text")
    made: list[object] = []

    def catalogue(version: str, text: bytes) -> Catalogue:
        made.append((version, text))
        return cast(Catalogue, object())

    def scorer(
        model: str, version: str | None, data: bytes | None, actions: Sequence[ActionKey]
    ) -> Scorer:
        made.append((model, version, data))
        return cast(Scorer, object())

    compiled = CompiledVersions(versions, catalogue, scorer)
    actions = [ActionKey("gift", None, "sell")]
    assert compiled.scorer("main", "1", actions) is compiled.scorer("main", "1", actions)
    assert compiled.catalogue("c") is compiled.catalogue("c")
    compiled.scorer("main", None, actions)
    assert made == [("main", "1", b"weights"), ("c", b"text"), ("main", None, None)]
    with pytest.raises(KeyError):
        compiled.catalogue("unknown")


def test_a_key_that_is_nobodys_names_nothing() -> None:
    assert named(MODEL, b"\xff\xfe") is None


def test_a_version_that_cannot_be_used_gives_way_to_the_next_older_one_until_it_is_mended() -> None:
    versions = store()
    for version, data in (("1", b"good"), ("2", b"damaged"), ("3", b"damaged")):
        versions.hold((MODEL, "main", version), data)
    asked: list[bytes | None] = []

    def scorer(
        model: str, version: str | None, data: bytes | None, actions: Sequence[ActionKey]
    ) -> Scorer | None:
        asked.append(data)
        return None if data == b"damaged" else cast(Scorer, data or b"untrained")

    compiled = CompiledVersions(versions, lambda version, text: cast(Catalogue, text), scorer)
    actions = [ActionKey("gift", None, "sell")]
    assert cast(bytes, compiled.scorer("main", "3", actions)) == b"good"
    assert cast(bytes, compiled.scorer("main", "3", actions)) == b"good"
    assert asked == [b"damaged", b"damaged", b"good"]
    versions.hold((MODEL, "main", "3"), b"mended")
    assert cast(bytes, compiled.scorer("main", "3", actions)) == b"mended"
    versions.hold((MODEL, "main", "1"), None)
    assert cast(bytes, compiled.scorer("main", "2", actions)) == b"untrained"
