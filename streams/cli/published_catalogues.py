"""The catalogues that were ever published, by version: what past decisions were made under."""

from __future__ import annotations

from threading import Event

from schemas.topics import CATALOGUES
from streams.core.catalogue.loading import CatalogueError
from streams.core.catalogue.values import Catalogue
from streams.shell.kafka.client_config import librdkafka_config
from streams.shell.kafka.topic_admin import partitions_of
from streams.shell.kafka.topic_reader import read_to_end
from streams.shell.settings.settings import Settings
from streams.shell.versions.catalogue_file import parse_catalogue


class PublishedCatalogues:
    """The catalogues on their topic, parsed when first asked for."""

    def __init__(self, settings: Settings) -> None:
        client, topic = librdkafka_config(settings), settings.topic_prefix + CATALOGUES.name
        self._texts: dict[str, bytes] = {}
        self._parsed: dict[str, Catalogue | str] = {}
        for messages in read_to_end(client, topic, partitions_of(client, topic), Event()):
            for message in messages:
                self._texts[(message.key() or b"").decode()] = message.value() or b""

    def get(self, version: str) -> Catalogue | str:
        """Return a catalogue, or why there is none."""
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
