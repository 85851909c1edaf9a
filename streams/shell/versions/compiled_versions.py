"""Catalogues and scorers as the engine uses them, made once from the bytes of each version.

What cannot be had is stood for. A catalogue that is gone, or that this release's stricter rules no
longer allow, is one that its owner has replaced or has to: the next one published decides instead.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from models.protocol import ActionKey, Scorer
from schemas.records import CATALOGUE
from streams.core.catalogue.loading import CatalogueError
from streams.core.catalogue.values import Catalogue
from streams.shell.exits import ConfigExit, WorkerExit
from streams.shell.versions.version_store import GONE_AFTER_S, VersionMissing, VersionStore

# Kept at a time, of each kind: the one in use, and those of a replay.
_CACHED = 16
# For a leader that starts with a better file: it has to join its group first.
_STAND_IN_WITHIN_S = 30.0
_LOOK_EVERY_S = 0.2

_Wanted = tuple[str, str | None, tuple[ActionKey, ...]]

log = logging.getLogger("concierge.versions")


class CatalogueUnreadable(ConfigExit):
    """The timeline asks for a catalogue that this release refuses, and there is none instead."""


class CompiledVersions:
    """The engine's `Versions`: catalogues and scorers, made once from the bytes of a store."""

    def __init__(
        self,
        store: VersionStore,
        catalogue: Callable[[str, bytes], Catalogue],
        scorer: Callable[[str, str | None, bytes | None, Sequence[ActionKey]], Scorer | None],
        stand_in_within_s: float = _STAND_IN_WITHIN_S,
    ) -> None:
        self._store = store
        self._make_catalogue = catalogue
        self._make_scorer = scorer
        self._within_s = stand_in_within_s
        self._catalogues: dict[str, Catalogue] = {}
        self._scorers: dict[_Wanted, tuple[Scorer, bytes | None]] = {}
        # Which version decides in the place of one that cannot; chosen once, for every record.
        self._stands: dict[str, str] = {}

    async def available(self, kind: str, name: str, version: str) -> None:
        """Wait until a version, or what stands for it, can be used.

        Raises `VersionMissing`, or `CatalogueUnreadable` for one that needs mending.
        """
        if kind != CATALOGUE:
            await self._store.available(kind, name, version)
        elif version not in self._stands:
            await self._catalogue_available(name, version)

    def catalogue(self, version: str) -> Catalogue:
        """Return a catalogue; raises `KeyError` for a version that is not at hand."""
        standing = self._stands.get(version, version)
        made = self._catalogues.get(standing)
        if made is None:
            data = self._store.get(CATALOGUE, CATALOGUE, standing)
            made = self._make_catalogue(standing, data)
            _keep(self._catalogues, standing, made)
        return made

    def scorer(self, model: str, version: str | None, actions: Sequence[ActionKey]) -> Scorer:
        """Return a scorer for the actions, in this order; without a version an untrained one.

        Where a version's bytes cannot be used it is that of the next older version, in the end an
        untrained one; until usable bytes are published under that version.
        """
        wanted = (model, version, tuple(actions))
        data = None if version is None else self._store.snapshot(model, version)
        held = self._scorers.get(wanted)
        if held is None or held[1] is not data:
            held = self._scorer(model, version, data, actions), data
            _keep(self._scorers, wanted, held)
        return held[0]

    def _scorer(
        self, model: str, version: str | None, data: bytes | None, actions: Sequence[ActionKey]
    ) -> Scorer:
        made = self._make_scorer(model, version, data, actions)
        older = self._store.older(model, version) if version is not None else iter(())
        while made is None:
            made = self._make_scorer(model, version, next(older, None), actions)
        return made

    async def _catalogue_available(self, name: str, version: str) -> None:
        try:
            await self._store.available(CATALOGUE, name, version)
        except VersionMissing as missing:
            # Waited for long enough; but one that was removed may have been replaced.
            self._stands[version] = await self._stand_in(version, missing, 0.0)
            return
        wrong = self._wrong(version)
        if wrong:
            ending = CatalogueUnreadable(
                f"catalogue {version[:12]}, which the timeline names, {wrong}, and no newer one is "
                "published: mend the catalogue file (`concierge check FILE` tells all that is "
                "wrong with it) and start a worker with the role intake on it, then this one; or "
                "go back to the release before"
            )
            self._stands[version] = await self._stand_in(version, ending, self._within_s)

    async def _stand_in(self, version: str, ending: WorkerExit, within_s: float) -> str:
        """Return the oldest newer catalogue that can be used; raises `ending` if none comes."""
        until_s = time.monotonic() + within_s
        # All that is published is read by then, so that every worker makes the same choice.
        await asyncio.sleep(min(GONE_AFTER_S, within_s))
        while True:
            # Itself first: the leader may have published it again, whole.
            for each in (version, *self._store.newer_catalogues(version)):
                if not self._wrong(each):
                    if each != version:
                        why = self._wrong(version)
                        log.warning(
                            "catalogue %s %s; %s decides in its place",
                            *(version[:12], why, each[:12]),
                        )
                    return each
            if time.monotonic() >= until_s:
                raise ending
            await asyncio.sleep(_LOOK_EVERY_S)

    def _wrong(self, version: str) -> str:
        """Return why a catalogue cannot decide, "" for one that can."""
        try:
            self.catalogue(version)
        except KeyError:
            return "is no longer on its topic"
        except CatalogueError as error:
            more = len(error.problems) - 1
            others = f" (and {more} more)" if more else ""
            return f"is refused by this release: {error.problems[0]}{others}"
        return ""


def _keep(cache: dict[Any, Any], key: Any, value: Any) -> None:
    if len(cache) >= _CACHED:
        del cache[next(iter(cache))]
    cache[key] = value
