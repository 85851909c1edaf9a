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
    """Watches one file by its modification time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._modified_ns = -1
        self._held: CatalogueText | None = None

    def current(self) -> CatalogueText:
        """Return the newest valid text of the file.

        The first read raises `CatalogueError` or OSError; later on a file that went missing or
        wrong is logged once per edit, and the last valid text stays.
        """
        try:
            modified_ns = self._path.stat().st_mtime_ns
            if self._held is None or modified_ns != self._modified_ns:
                self._modified_ns = modified_ns
                catalogue = parse_catalogue(self._path.read_bytes(), str(self._path))
                self._held = CatalogueText(catalogue.version, catalogue.text.encode())
        except (CatalogueError, OSError) as error:
            if self._held is None:
                raise
            if self._modified_ns != -1:
                log.error("the catalogue in use stays, the file cannot be used: %s", error)
            if isinstance(error, OSError):
                self._modified_ns = -1
        return self._held
