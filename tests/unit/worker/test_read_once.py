"""A worker parses its catalogue once and decodes a snapshot once, and forgets what piles up."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from models.learning.capture import take
from models.protocol import ActionKey
from models.snapshot.snapshot_codec import encode
from schemas.records import CATALOGUE
from streams.shell.settings.settings import Settings
from streams.shell.telemetry.metrics import Metrics
from streams.shell.versions import catalogue_file
from streams.shell.versions import version_store as versions
from streams.shell.versions.leader import Timeline
from streams.shell.versions.version_store import VersionStore
from streams.worker import (
    build_decide as decide,
)
from streams.worker import (
    build_intake as intake,
)
from streams.worker import (
    build_learn as learn,
)
from streams.worker import (
    new_models as banks,
)
from streams.worker import (
    published_snapshots as snapshots,
)
from streams.worker import (
    version_makers as models,
)
from streams.worker.published_snapshots import Snapshots
from streams.worker.shared import Shared
from streams.worker.uplift_recount import uplift_meter
from tests.support.shops import SHOP


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], Counter[str]]:
    """Return what counts the calls of a module's function."""
    calls: Counter[str] = Counter()

    def count(module: Any, name: str) -> Counter[str]:
        real = getattr(module, name)

        def counting(*args: Any, **kwargs: Any) -> Any:
            calls[name] += 1
            return real(*args, **kwargs)

        monkeypatch.setattr(module, name, counting)
        return calls

    return count


def test_a_worker_with_all_roles_parses_its_catalogue_once(
    tmp_path: Path, counted: Callable[[Any, str], Counter[str]]
) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(SHOP, encoding="utf-8")
    parsed = counted(catalogue_file, "load_catalogue")

    async def main() -> None:
        shared = Shared(Settings(catalogue_path=str(path)), Timeline("timeline", 4))
        built = [await each.build(shared) for each in (intake, decide, learn)]
        text = shared.catalogue_file().catalogue_text()
        # What the leader publishes comes back to decide.
        decided_with = cast(Any, built[1].runner.role)._versions
        decided_with._store.put((CATALOGUE, CATALOGUE, text.version), text.text)
        assert decided_with.catalogue(text.version).version == text.version
        models = cast(Any, built[2].runner.role)._models
        assert models.learners_of("main")
        uplift_meter(shared).show()
        for app in built:
            for outbox in (app.runner.outbox, app.runner.writer):
                await outbox.close()

    asyncio.run(main())
    assert parsed["load_catalogue"] == 1


def _snapshot() -> bytes:
    return encode(take(banks.new_model("main", 0)))


def test_a_snapshot_is_decoded_once_for_a_scorer_and_once_for_a_bank(
    counted: Callable[[Any, str], Counter[str]],
) -> None:
    decoded = counted(snapshots, "decode")
    for module in (models, banks):
        # They had a decoder of their own.
        assert not hasattr(module, "decode")
    found = Snapshots(Metrics())
    assert found.scorer("main", "1", _snapshot(), [ActionKey("gift", None, "sell")]) is not None
    assert decoded["decode"] == 1
    assert found.bank("main", _snapshot()) is not None
    assert decoded["decode"] == 2


def test_what_was_logged_of_refused_snapshots_is_bounded() -> None:
    found = Snapshots(Metrics())
    for number in range(1_000):
        found.scorer("main", str(number), b"garbage", [])
    assert len(found._logged) == snapshots._MOST_LOGGED


def test_the_newest_catalogues_are_kept_and_the_oldest_forgotten() -> None:
    store = VersionStore({}, "snapshots", "catalogues", lambda error: None)
    most = versions._MAX_CATALOGUES
    for number in range(2 * most):
        store.put((CATALOGUE, CATALOGUE, f"v{number}"), b"text", number)
        # One that a leader publishes again and again is in use.
        store.put((CATALOGUE, CATALOGUE, "in use"), b"text", number)
    # A late one, older than all that are kept.
    store.put((CATALOGUE, CATALOGUE, "older"), b"text", 0)
    assert len(store._published_ms) == most
    assert len(store._held) == most
    assert store.get(CATALOGUE, CATALOGUE, "in use") == b"text"
    assert store.get(CATALOGUE, CATALOGUE, f"v{2 * most - 1}") == b"text"
    for gone in ("v0", "older"):
        with pytest.raises(KeyError):
            store.get(CATALOGUE, CATALOGUE, gone)


def test_removed_catalogues_are_forgotten_too() -> None:
    store = VersionStore({}, "snapshots", "catalogues", lambda error: None)
    for number in range(2 * versions._MAX_CATALOGUES):
        store.put((CATALOGUE, CATALOGUE, f"v{number}"), b"text", number)
        store.put((CATALOGUE, CATALOGUE, f"v{number}"), None, number)
    assert len(store._published_ms) == versions._MAX_CATALOGUES
    assert not store._held
