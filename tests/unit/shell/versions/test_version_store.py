"""Versions are waited for and compiled once; a missing one is reported."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from models.protocol import ActionKey, Scorer
from schemas.records import CATALOGUE, MODEL
from streams.core.catalogue.loading import CatalogueError
from streams.core.catalogue.values import Catalogue
from streams.shell.exits import EXIT_CONFIG
from streams.shell.versions.compiled_versions import CatalogueUnreadable, CompiledVersions
from streams.shell.versions.version_store import (
    VersionMissing,
    VersionStore,
    parse_version_key,
    snapshot_key,
)
from tests.support.patience import PATIENCE_S


def store(available_within_s: float = 5.0) -> VersionStore:
    return VersionStore({}, "snapshots", "catalogues", lambda error: None, available_within_s)


def test_a_key_tells_what_it_names() -> None:
    assert parse_version_key(MODEL, snapshot_key("a@b", "000000000007")) == (
        MODEL,
        "a@b",
        "000000000007",
    )
    assert parse_version_key(CATALOGUE, b"abc") == (CATALOGUE, CATALOGUE, "abc")


def test_a_wait_for_a_version_ends_when_it_is_published() -> None:
    async def scenario() -> None:
        versions = store()
        waiting = asyncio.create_task(versions.available(MODEL, "main", "1"))
        await asyncio.sleep(0)
        assert not waiting.done()
        versions.put((MODEL, "main", "1"), b"weights")
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
            versions.put((MODEL, "main", version), version.encode())
        versions.put((MODEL, "main", "1"), None)
        await asyncio.wait_for(versions.available(MODEL, "main", "1"), PATIENCE_S)
        assert versions.get(MODEL, "main", "1") == b"2"
        with pytest.raises(KeyError):
            versions.get(MODEL, "main", "4")
        with pytest.raises(KeyError):
            versions.get(CATALOGUE, CATALOGUE, "1")

    asyncio.run(scenario())


def test_a_version_whose_tombstone_is_compacted_away_is_found_gone() -> None:
    async def scenario() -> None:
        versions = store(0.02)
        versions.put((MODEL, "main", "5"), b"newer")
        await versions.available(MODEL, "main", "4")
        assert versions.get(MODEL, "main", "4") == b"newer"

    asyncio.run(scenario())


def test_a_tombstone_takes_a_version_away() -> None:
    versions = store()
    versions.put((MODEL, "main", "1"), b"weights")
    versions.put((MODEL, "main", "1"), None)
    with pytest.raises(KeyError):
        versions.get(MODEL, "main", "1")


def test_a_model_whose_snapshots_were_removed_is_decided_untrained() -> None:
    async def scenario() -> None:
        versions = store()
        versions.put((MODEL, "main", "1"), b"weights")
        versions.put((MODEL, "main", "1"), None)
        await asyncio.wait_for(versions.available(MODEL, "main", "1"), PATIENCE_S)
        assert versions.snapshot("main", "1") is None
        with pytest.raises(KeyError):
            versions.snapshot("main", "2")

    asyncio.run(scenario())


def test_scorers_and_catalogues_are_made_once_per_version() -> None:
    versions = store()
    versions.put((MODEL, "main", "1"), b"weights")
    versions.put((CATALOGUE, CATALOGUE, "c"), b"text")
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
    assert parse_version_key(MODEL, b"\xff\xfe") is None


def test_a_version_that_cannot_be_used_gives_way_to_the_next_older_one_until_it_is_mended() -> None:
    versions = store()
    for version, data in (("1", b"good"), ("2", b"damaged"), ("3", b"damaged")):
        versions.put((MODEL, "main", version), data)
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
    versions.put((MODEL, "main", "3"), b"mended")
    assert cast(bytes, compiled.scorer("main", "3", actions)) == b"mended"
    versions.put((MODEL, "main", "1"), None)
    assert cast(bytes, compiled.scorer("main", "2", actions)) == b"untrained"


def _catalogue(version: str, text: bytes) -> Catalogue:
    if text != b"good":
        raise CatalogueError([f"catalogue {version}:3 families: too many", "and so on"])
    return cast(Catalogue, version)


def _compiled(versions: VersionStore, within_s: float = 0.05) -> CompiledVersions:
    return CompiledVersions(versions, _catalogue, lambda *wanted: None, within_s)


def _publish(versions: VersionStore, *published: tuple[str, bytes | None]) -> None:
    for at_ms, (version, text) in enumerate(published):
        versions.put((CATALOGUE, CATALOGUE, version), text, at_ms)


async def _decides_for(compiled: CompiledVersions, version: str) -> str:
    await compiled.available(CATALOGUE, CATALOGUE, version)
    return cast(str, compiled.catalogue(version))


def test_a_catalogue_that_can_be_read_decides_itself() -> None:
    versions = store()
    _publish(versions, ("c", b"good"), ("d", b"good"))
    assert asyncio.run(_decides_for(_compiled(versions), "c")) == "c"


def test_an_unreadable_catalogue_is_stood_for_by_the_oldest_readable_one_after_it() -> None:
    versions = store()
    _publish(versions, ("a", b"good"), ("d", b"strange"), ("c", b"strange"), ("z", b"good"))
    # Published again, and so behind the other.
    versions.put((CATALOGUE, CATALOGUE, "b"), b"good", 9)
    assert asyncio.run(_decides_for(_compiled(versions), "d")) == "z"


def test_who_stands_for_a_catalogue_stays_whatever_is_published_later() -> None:
    async def scenario() -> None:
        versions = store()
        _publish(versions, ("c", b"strange"), ("z", b"good"))
        compiled = _compiled(versions)
        assert await _decides_for(compiled, "c") == "z"
        versions.put((CATALOGUE, CATALOGUE, "y"), b"good", 1)
        assert await _decides_for(compiled, "c") == "z"

    asyncio.run(scenario())


def test_a_readable_catalogue_is_waited_for() -> None:
    async def scenario() -> None:
        versions = store()
        _publish(versions, ("c", b"strange"))
        waiting = asyncio.create_task(_decides_for(_compiled(versions, 60.0), "c"))
        await asyncio.sleep(0)
        versions.put((CATALOGUE, CATALOGUE, "later"), b"good", 1)
        assert await waiting == "later"

    asyncio.run(scenario())


def test_a_catalogue_that_was_removed_is_stood_for_too() -> None:
    versions = store(0.02)
    _publish(versions, ("a", b"good"), ("c", None), ("z", b"good"))
    assert asyncio.run(_decides_for(_compiled(versions), "c")) == "z"
    assert asyncio.run(_decides_for(_compiled(versions), "compacted away")) == "a"


def test_without_a_readable_catalogue_it_is_said_what_is_wrong_and_what_to_do() -> None:
    versions = store(0.02)
    _publish(versions, ("a", b"good"), ("c", b"strange"))
    with pytest.raises(CatalogueUnreadable) as refused:
        asyncio.run(_decides_for(_compiled(versions), "c"))
    said = str(refused.value)
    assert "catalogue c, which the timeline names, is refused by this release" in said
    assert "catalogue c:3 families: too many (and 1 more)" in said
    assert "concierge check --catalogue FILE" in said
    assert refused.value.exit_code == EXIT_CONFIG


def test_a_catalogue_that_nobody_published_is_missed_by_name() -> None:
    with pytest.raises(VersionMissing, match="catalogue catalogue version c"):
        asyncio.run(_decides_for(_compiled(store(0.02)), "c"))
