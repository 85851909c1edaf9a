"""Catalogues and scorers as the engine uses them, built once from the bytes of each version.

A version that cannot be used is replaced. For a catalogue that was removed, or that this release
refuses, the next newer usable one decides; if there is none, `available` raises. For a model
version it is the next older one, and in the end an untrained scorer.
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
from streams.shell.versions.version_store import REMOVED_AFTER_S, VersionMissing, VersionStore

# Entries kept of each kind: the version in use, and those that a replay needs.
_CACHED = 16
# Long enough for a leader to start with a corrected file and join its group.
_REPLACEMENT_TIMEOUT_S = 30.0
_CHECK_INTERVAL_S = 0.2

_ScorerKey = tuple[str, str | None, tuple[ActionKey, ...]]

log = logging.getLogger("concierge.versions")


class CatalogueUnreadable(ConfigExit):
    """The timeline names a catalogue that this release refuses, and no newer one exists."""


class CompiledVersions:
    """The engine's `Versions`: catalogues and scorers, built once from the bytes of a store."""

    def __init__(
        self,
        store: VersionStore,
        catalogue: Callable[[str, bytes], Catalogue],
        scorer: Callable[[str, str | None, bytes | None, Sequence[ActionKey]], Scorer | None],
        replacement_timeout_s: float = _REPLACEMENT_TIMEOUT_S,
    ) -> None:
        self._store = store
        self._make_catalogue = catalogue
        self._make_scorer = scorer
        self._replacement_timeout_s = replacement_timeout_s
        self._catalogues: dict[str, Catalogue] = {}
        self._scorers: dict[_ScorerKey, tuple[Scorer, bytes | None]] = {}
        # The replacement of each unusable version; chosen once, so that every record gets the same.
        self._replacements: dict[str, str] = {}

    async def available(self, kind: str, name: str, version: str) -> None:
        """Wait until a version or its replacement can be used.

        Raises `VersionMissing`; `CatalogueUnreadable` if a person must correct the catalogue.
        """
        if kind != CATALOGUE:
            await self._store.available(kind, name, version)
        elif version not in self._replacements:
            await self._catalogue_available(name, version)

    def catalogue(self, version: str) -> Catalogue:
        """Return a catalogue; raises `KeyError` for a version that is not in the store."""
        usable = self._replacements.get(version, version)
        made = self._catalogues.get(usable)
        if made is None:
            data = self._store.get(CATALOGUE, CATALOGUE, usable)
            made = self._make_catalogue(usable, data)
            _keep(self._catalogues, usable, made)
        return made

    def scorer(self, model: str, version: str | None, actions: Sequence[ActionKey]) -> Scorer:
        """Return a scorer for the actions, in this order; without a version an untrained one.

        If a version's bytes cannot be used, the next older version is used, in the end an
        untrained scorer, until usable bytes are published under that version.
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
            # The wait is over; but a catalogue that was removed may have been replaced.
            self._replacements[version] = await self._replacement(version, missing, 0.0)
            return
        problem = self._problem(version)
        if problem:
            error = CatalogueUnreadable(
                f"catalogue {version[:12]}, which the timeline names, {problem}, and no newer one "
                "is published: correct the catalogue file (`concierge check --catalogue FILE` "
                "lists all its problems) and start a worker with the role intake on it, then this "
                "one; or go back to the previous release"
            )
            self._replacements[version] = await self._replacement(
                version, error, self._replacement_timeout_s
            )

    async def _replacement(self, version: str, error: WorkerExit, within_s: float) -> str:
        """Return the oldest newer usable catalogue; raise `error` if none comes in time."""
        until_s = time.monotonic() + within_s
        # By then all published versions are read, so every worker chooses the same.
        await asyncio.sleep(min(REMOVED_AFTER_S, within_s))
        while True:
            # The version itself first: the leader may have published it again.
            for each in (version, *self._store.newer_catalogues(version)):
                if not self._problem(each):
                    if each != version:
                        why = self._problem(version)
                        log.warning(
                            "catalogue %s %s; %s is used instead",
                            *(version[:12], why, each[:12]),
                        )
                    return each
            if time.monotonic() >= until_s:
                raise error
            await asyncio.sleep(_CHECK_INTERVAL_S)

    def _problem(self, version: str) -> str:
        """Return why a catalogue cannot be used; "" if it can."""
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
