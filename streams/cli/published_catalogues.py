"""All catalogues that were published, by version: past decisions were made with them."""

from __future__ import annotations

from schemas.topics import CATALOGUES
from streams.cli.read_topic import read_topic
from streams.core.catalogue.loading import CatalogueError
from streams.core.catalogue.values import Catalogue
from streams.shell.settings.settings import Settings
from streams.shell.versions.catalogue_file import parse_catalogue


class PublishedCatalogues:
    """The catalogues on their topic; each is parsed when it is first requested."""

    def __init__(self, settings: Settings) -> None:
        self._texts: dict[str, bytes] = {}
        self._parsed: dict[str, Catalogue | str] = {}
        for messages in read_topic(settings, CATALOGUES):
            for message in messages:
                self._texts[(message.key() or b"").decode()] = message.value() or b""

    def get(self, version: str) -> Catalogue | str:
        """Return a catalogue, or a sentence that says why there is none."""
        if version not in self._parsed:
            self._parsed[version] = self._parse(version)
        return self._parsed[version]

    def _parse(self, version: str) -> Catalogue | str:
        text = self._texts.get(version)
        if not text:
            return f"catalogue {version} is no longer on the catalogues topic"
        try:
            return parse_catalogue(text, f"catalogue {version}")
        except CatalogueError as error:
            return f"catalogue {version} cannot be read by this release: {error}"
