"""Which models learn a model's lessons: the learner and challenger of the catalogue file."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from streams.core.catalogue.values import Catalogue
from streams.shell.versions.catalogue_file import CatalogueFile

# A check of the file costs a tenth of a lesson, and a change can wait this long.
_LOOK_EVERY_MS = 1_000


class ModelSetup:
    """Names the learners of a model; checks for a changed catalogue every second."""

    def __init__(
        self,
        file: CatalogueFile,
        now_ms: Callable[[], int],
        on_catalogue: Callable[[Catalogue], None] = lambda catalogue: None,
    ) -> None:
        """`on_catalogue` is called with each catalogue that is read, the first included."""
        self._on_catalogue = on_catalogue
        self._file = file
        self._now_ms = now_ms
        self._catalogue: Catalogue | None = None
        self._looked_at_ms = 0

    def learners_of(self, model: str) -> Sequence[str]:
        """Return the names of all models that learn its lessons, the one in use first."""
        catalogue = self._current()
        if model != catalogue.model:
            # Decided under a catalogue that has since been replaced.
            return (model,)
        challenger = catalogue.challenged_by
        return (catalogue.scored_by,) if challenger is None else (catalogue.scored_by, challenger)

    def _current(self) -> Catalogue:
        now_ms = self._now_ms()
        if self._catalogue is None or now_ms - self._looked_at_ms >= _LOOK_EVERY_MS:
            self._looked_at_ms = now_ms
            found = self._file.catalogue()
            if self._catalogue is None or found.version != self._catalogue.version:
                self._catalogue = found
                self._on_catalogue(found)
        return self._catalogue
