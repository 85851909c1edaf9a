"""The catalogue file: read when it changes; a broken edit never replaces what works."""

from __future__ import annotations

import logging
from pathlib import Path

from streams.core.catalogue.loading import CatalogueError, load_catalogue
from streams.core.catalogue.values import Catalogue
from streams.core.features.definitions import FEATURES
from streams.core.moments import MOMENTS
from streams.shell.telemetry.metrics import CATALOGUE_BROKEN, CATALOGUES_TAKEN, Metrics
from streams.shell.versions.leader import CatalogueText

log = logging.getLogger("concierge.catalogue")


def parse_catalogue(text: str | bytes, source: str) -> Catalogue:
    """Return the catalogue in a text, over this release's features and moments.

    `source` names the text in messages. Raises `CatalogueError` with every problem.
    """
    return load_catalogue(text, source, FEATURES, MOMENTS)


class CatalogueFile:
    """Watches one file by its time of change; `metrics` are told what became of each edit."""

    def __init__(self, path: Path, metrics: Metrics | None = None) -> None:
        self._path = path
        self._metrics = Metrics() if metrics is None else metrics
        self._changed_ns = -1
        self._held: Catalogue | None = None
        self._complaint = ""

    def current(self) -> CatalogueText:
        """Return the text of `catalogue()`, as it is published."""
        held = self.catalogue()
        return CatalogueText(held.version, held.text.encode())

    @property
    def held(self) -> Catalogue | None:
        """Return the catalogue as it was last read, without a look at the file."""
        return self._held

    def catalogue(self) -> Catalogue:
        """Return the newest valid catalogue of the file.

        The first read raises `CatalogueError` or OSError; later on a file that went missing or
        wrong is logged once per edit, and the last valid text stays.
        """
        try:
            self._read_if_changed()
        except (CatalogueError, OSError) as error:
            if self._held is None:
                raise
            self._metrics.set(CATALOGUE_BROKEN, 1)
            if str(error) != self._complaint:
                log.error("the catalogue in use stays, the file cannot be used: %s", error)
            self._complaint = str(error)
            if isinstance(error, OSError):
                # Back again, it may carry the time it had.
                self._changed_ns = -1
        if self._held is None:
            raise AssertionError("a first read that did not raise has read something")
        return self._held

    def _read_if_changed(self) -> None:
        # Also moved by a change of permissions, unlike the time of modification.
        changed_ns = self._path.stat().st_ctime_ns
        if changed_ns != self._changed_ns:
            self._changed_ns = changed_ns
            self._take(parse_catalogue(self._path.read_bytes(), str(self._path)))

    def _take(self, catalogue: Catalogue) -> None:
        before, self._held = self._held, catalogue
        if before is not None and before.version != catalogue.version:
            self._metrics.add(CATALOGUES_TAKEN, 1)
            versions = catalogue.version[:12], before.version[:12]
            log.info("catalogue %s takes the place of %s: %s", *versions, self._path)
        elif self._complaint:
            log.info("the catalogue file is the one in use again: %s", self._path)
        self._metrics.set(CATALOGUE_BROKEN, 0)
        self._complaint = ""
