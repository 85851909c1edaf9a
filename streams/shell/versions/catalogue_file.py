"""The catalogue file: read again when it changes; an invalid edit does not replace a valid one."""

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
    """Parse a catalogue with the features and moments of this release.

    `source` names the text in messages. Raises `CatalogueError` with every problem.
    """
    return load_catalogue(text, source, FEATURES, MOMENTS)


class CatalogueFile:
    """One catalogue file, watched by its change time; `metrics` count accepted and broken edits."""

    def __init__(self, path: Path, metrics: Metrics | None = None) -> None:
        self._path = path
        self._metrics = Metrics() if metrics is None else metrics
        self._changed_ns = -1
        self._held: Catalogue | None = None
        self._logged_error = ""

    def catalogue_text(self) -> CatalogueText:
        """Return version and text of `catalogue()`, as they are published."""
        held = self.catalogue()
        return CatalogueText(held.version, held.text.encode())

    @property
    def last_read(self) -> Catalogue | None:
        """Return the catalogue as it was last read, without reading the file."""
        return self._held

    def catalogue(self) -> Catalogue:
        """Return the newest valid catalogue of the file.

        The first read raises `CatalogueError` or OSError. Later, a missing or invalid file is
        logged once per edit, and the last valid catalogue stays in use.
        """
        try:
            self._read_if_changed()
        except (CatalogueError, OSError) as error:
            if self._held is None:
                raise
            self._metrics.set(CATALOGUE_BROKEN, 1)
            if str(error) != self._logged_error:
                log.error(
                    "the catalogue file cannot be used, the last valid one stays in use: %s", error
                )
            self._logged_error = str(error)
            if isinstance(error, OSError):
                # A restored file may have its old change time.
                self._changed_ns = -1
        if self._held is None:
            raise AssertionError("the first read returned without a catalogue and without an error")
        return self._held

    def _read_if_changed(self) -> None:
        # Changes with permissions, too, unlike the modification time.
        changed_ns = self._path.stat().st_ctime_ns
        if changed_ns != self._changed_ns:
            self._changed_ns = changed_ns
            self._accept(parse_catalogue(self._path.read_bytes(), str(self._path)))

    def _accept(self, catalogue: Catalogue) -> None:
        before, self._held = self._held, catalogue
        if before is not None and before.version != catalogue.version:
            self._metrics.add(CATALOGUES_TAKEN, 1)
            versions = catalogue.version[:12], before.version[:12]
            log.info("catalogue %s replaces %s: %s", *versions, self._path)
        elif self._logged_error:
            log.info("the catalogue file is valid again and in use: %s", self._path)
        self._metrics.set(CATALOGUE_BROKEN, 0)
        self._logged_error = ""
