"""Catalogues and scorers as the engine uses them, made once from the bytes of each version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from models.protocol import ActionKey, Scorer
from streams.core.catalogue import Catalogue
from streams.runtime.versions import CATALOGUE, VersionStore

# Kept at a time, of each kind: the one in use, and those of a replay.
_CACHED = 16

_Wanted = tuple[str, str | None, tuple[ActionKey, ...]]


class CompiledVersions:
    """The engine's `Versions`: catalogues and scorers, made once from the bytes of a store."""

    def __init__(
        self,
        store: VersionStore,
        catalogue: Callable[[str, bytes], Catalogue],
        scorer: Callable[[str, str | None, bytes | None, Sequence[ActionKey]], Scorer | None],
    ) -> None:
        self._store = store
        self._make_catalogue = catalogue
        self._make_scorer = scorer
        self._catalogues: dict[str, Catalogue] = {}
        self._scorers: dict[_Wanted, tuple[Scorer, bytes | None]] = {}

    def catalogue(self, version: str) -> Catalogue:
        """Return a catalogue; raises `KeyError` for a version that is not at hand."""
        made = self._catalogues.get(version)
        if made is None:
            made = self._make_catalogue(version, self._store.get(CATALOGUE, CATALOGUE, version))
            _keep(self._catalogues, version, made)
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


def _keep(cache: dict[Any, Any], key: Any, value: Any) -> None:
    if len(cache) >= _CACHED:
        del cache[next(iter(cache))]
    cache[key] = value
