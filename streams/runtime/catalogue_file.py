"""The catalogue file: read when it changes; a broken edit never replaces what works."""

from __future__ import annotations

import logging
from pathlib import Path

from streams.core.catalogue import Catalogue
from streams.core.catalogue_yaml import CatalogueError, load_catalogue
from streams.core.features import FEATURES
from streams.core.moments import MOMENTS
from streams.runtime.clock import CatalogueText

log = logging.getLogger("concierge.catalogue")


def parse_catalogue(text: str | bytes, source: str) -> Catalogue:
    """Return the catalogue in a text, over this release's features and moments.

    `source` names the text in messages. Raises `CatalogueError` with every problem.
    """
    kinds = {name: feature.kind for name, feature in FEATURES.items()}
    return load_catalogue(text, source, kinds, MOMENTS)


class CatalogueFile:
    """Watches one file by its time of change."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed_ns = -1
        self._held: CatalogueText | None = None
        self._complaint = ""

    def current(self) -> CatalogueText:
        """Return the newest valid text of the file.

        The first read raises `CatalogueError` or OSError; later on a file that went missing or
        wrong is logged once per edit, and the last valid text stays.
        """
        try:
            self._read_if_changed()
        except (CatalogueError, OSError) as error:
            if self._held is None:
                raise
            if str(error) != self._complaint:
                log.error("the catalogue in use stays, the file cannot be used: %s", error)
            self._complaint = str(error)
        if self._held is None:
            raise AssertionError("a first read that did not raise has read something")
        return self._held

    def _read_if_changed(self) -> None:
        # Also moved by a change of permissions, unlike the time of modification.
        changed_ns = self._path.stat().st_ctime_ns
        if changed_ns != self._changed_ns:
            self._changed_ns = changed_ns
            catalogue = parse_catalogue(self._path.read_bytes(), str(self._path))
            self._held = CatalogueText(catalogue.version, catalogue.text.encode())
            self._complaint = ""
