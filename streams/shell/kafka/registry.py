"""Schemas from a Confluent-compatible registry, instead of those that ship with Concierge.

The registry's client blocks. So an agent calls `missing` with the schema ids of a batch (memory
only) and, if there are any, runs `fetch` in an executor. Decoding then finds all of them here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TypeVar

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError
from httpx2 import TransportError

from schemas.bundled import WriterSchema, prepare_writer, schema_text
from schemas.resolution import no_schema
from streams.shell.kafka.registry_errors import RegistryRefused, RegistryUnavailable
from streams.shell.kafka.schema_references import AVRO, UnusableSchema, avro_text, referenced
from streams.shell.settings.settings import Settings

R = TypeVar("R")

# An unknown id may be registered later; this limits how often it is requested again.
ASK_AGAIN_AFTER_S = 30.0
# Bad input can name any of 2**32 ids; the oldest answers are evicted.
MAX_CACHED_IDS = 10_000

_TIMEOUT_S = 5
_MAX_RETRIES = 2
_RETRY_WAIT_MS = 100
_RETRY_MAX_WAIT_MS = 1_000

_NOT_FOUND = 404
# Error codes by which a registry says that it has no such subject, version or id. Any other 404
# comes from another server.
_NOT_FOUND_CODES = (40401, 40402, 40403)
_CLIENT_ERRORS = range(400, 500)
_TIMEOUT_STATUS, _TOO_MANY_REQUESTS = 408, 429


class RegistrySchemas:
    """A `schemas.bundled.SchemaSource` over a registry; caches each id after its first use.

    `find` and `fetch` raise RegistryUnavailable or RegistryRefused; neither means that the id is
    unknown.
    """

    def __init__(self, settings: Settings, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._url = settings.schema_registry_url
        self._client = SchemaRegistryClient(_config(settings))
        self._clock_s = clock_s
        self._known: dict[int, WriterSchema | None] = {}
        self._asked_at_s: dict[int, float] = {}

    def find(self, schema_id: int) -> WriterSchema | None:
        """Return the schema with this id; None if the registry had none at the last request."""
        if schema_id not in self._known:
            self.fetch([schema_id])
        return self._known[schema_id]

    def missing(self, schema_ids: Iterable[int]) -> set[int]:
        """Return the ids that are not cached, and unknown ones that are due for another request."""
        now_s = self._clock_s()
        return {
            number
            for number in schema_ids
            if number not in self._known
            or (
                _is_unusable(self._known[number])
                and now_s - self._asked_at_s[number] >= ASK_AGAIN_AFTER_S
            )
        }

    def fetch(self, schema_ids: Iterable[int]) -> None:
        """Request these ids from the registry. Blocks, for seconds if it is slow."""
        for number in schema_ids:
            found = self._ask(number)
            self._known.pop(number, None)
            self._known[number] = found
            self._asked_at_s[number] = self._clock_s()
            if len(self._known) > MAX_CACHED_IDS:
                oldest = next(iter(self._known))
                del self._known[oldest], self._asked_at_s[oldest]

    def register(self, names_by_topic: Mapping[str, str]) -> dict[str, int]:
        """Register our current schemas and return schema name -> id, for `encode_event`.

        `names_by_topic` maps a topic's full name to its schema's name; the subject is
        "<topic>-value". Registering a schema twice returns the same id. Blocks.
        """
        return {
            name: self._call(
                partial(
                    self._client.register_schema,
                    f"{topic}-value",
                    Schema(schema_text(name), AVRO),
                )
            )
            for topic, name in names_by_topic.items()
        }

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def versions(self, subject: str) -> list[int]:
        """Return the versions of a subject, oldest first; empty if there is no such subject."""
        return self._none_if_missing(partial(self._client.get_versions, subject)) or []

    def version(self, subject: str, version: int) -> WriterSchema | None:
        """Return the schema of a subject's version, prepared for reading; None if there is none."""
        found = self._fetch_version(subject, version)
        return None if found is None else self._prepared(found)

    def incompatibility(self, subject: str, name: str) -> str | None:
        """Return why the registry would refuse our schema; None if it would accept it."""
        schema = Schema(schema_text(name), AVRO)
        fits = self._none_if_missing(partial(self._client.test_compatibility, subject, schema))
        # Without a subject there is nothing to be incompatible with.
        return None if fits in (None, True) else "it is not compatible with the latest version"

    def _ask(self, number: int) -> WriterSchema | None:
        found = self._none_if_missing(partial(self._client.get_schema, number))
        return None if found is None else self._prepared(found)

    def _prepared(self, schema: Schema) -> WriterSchema:
        try:
            text = avro_text(schema, "it")
            return prepare_writer(text, referenced(schema, self._fetch_version))
        except UnusableSchema as error:
            return no_schema(str(error))

    def _fetch_version(self, subject: str, version: int) -> Schema | None:
        # Records may have been written with a version that was soft-deleted since.
        found = self._none_if_missing(
            partial(self._client.get_version, subject, version, deleted=True)
        )
        return None if found is None else found.schema

    def _none_if_missing(self, ask: Callable[[], R]) -> R | None:
        """Return the answer, or None if the registry says that it has no such thing."""
        try:
            return self._call(ask)
        except RegistryRefused as refused:
            cause = refused.__cause__
            if isinstance(cause, SchemaRegistryError) and cause.error_code in _NOT_FOUND_CODES:
                return None
            raise

    def _call(self, ask: Callable[[], R]) -> R:
        try:
            return ask()
        except SchemaRegistryError as error:
            status = error.http_status_code
            if status in _CLIENT_ERRORS and status not in (_TIMEOUT_STATUS, _TOO_MANY_REQUESTS):
                hint = "; is its URL right?" if status == _NOT_FOUND else ""
                raise RegistryRefused(f"{self._url} refused: {error}{hint}") from error
            raise RegistryUnavailable(f"{self._url} failed: {error}") from error
        except KeyError as error:
            # The client library expects fields in an answer without checking for them.
            raise RegistryRefused(
                f"{self._url} sent an answer without {error}: does CONCIERGE_SCHEMA_REGISTRY_URL "
                "name a Confluent-compatible Schema Registry?"
            ) from error
        except (TransportError, ValueError) as error:
            # ValueError: an answer that is not JSON, from a proxy that is being stopped.
            raise RegistryUnavailable(f"{self._url} cannot be reached: {error}") from error


def _is_unusable(known: WriterSchema | None) -> bool:
    # A schema that it refers to may be registered later, like the id itself.
    return known is None or known.problem is not None


def _config(settings: Settings) -> dict[str, object]:
    config: dict[str, object] = {
        "url": settings.schema_registry_url,
        "timeout": _TIMEOUT_S,
        "max.retries": _MAX_RETRIES,
        "retries.wait.ms": _RETRY_WAIT_MS,
        "retries.max.wait.ms": _RETRY_MAX_WAIT_MS,
    }
    if settings.schema_registry_user:
        login = f"{settings.schema_registry_user}:{settings.schema_registry_password}"
        config["basic.auth.user.info"] = login
    if settings.schema_registry_ca_file:
        config["ssl.ca.location"] = settings.schema_registry_ca_file
    return config
