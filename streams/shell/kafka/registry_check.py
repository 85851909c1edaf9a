"""Whether the schemas that a registry holds for our topics can be read, for `concierge check`.

The subject of a topic is "<topic>-value", as clients register it by default.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.topics import INPUTS, TOPICS, Topic
from streams.shell.kafka.registry import RegistrySchemas

# Versions of a subject that are checked; records of older ones have usually expired.
LATEST_VERSIONS = 20


@dataclass(frozen=True, slots=True)
class SubjectReport:
    """One finding about a subject; `usable` is false if records or actions would be lost."""

    subject: str
    usable: bool
    detail: str


def subject_reports(schemas: RegistrySchemas, prefix: str) -> Iterator[SubjectReport]:
    """Yield one or more reports on the subject of each Avro topic.

    Raises `RegistryUnavailable` or `RegistryRefused`, as `RegistrySchemas` does.
    """
    for topic in TOPICS:
        if topic.schema is not None:
            subject = f"{topic.with_prefix(prefix).name}-value"
            if topic in INPUTS:
                yield from _input_reports(schemas, subject, topic, topic.schema)
            else:
                yield _output_report(schemas, subject, topic.schema)


def _input_reports(
    schemas: RegistrySchemas, subject: str, topic: Topic, schema: str
) -> Iterator[SubjectReport]:
    versions = schemas.versions(subject)[-LATEST_VERSIONS:]
    if not versions:
        yield SubjectReport(subject, True, "not registered yet; its writers do so")
        return
    readable = 0
    for version in versions:
        problem = _problem(schemas, subject, version, schema)
        readable += problem is None
        if problem is not None:
            # Records of an older version may have expired; those of the newest are being written.
            newest = version == versions[-1]
            what = f"version {version} cannot be read as {topic.name}: {problem}"
            yield SubjectReport(subject, not newest, what)
    if readable:
        yield SubjectReport(subject, True, f"{readable} of the last {len(versions)} can be read")


def _problem(schemas: RegistrySchemas, subject: str, version: int, schema: str) -> str | None:
    writer = schemas.version(subject, version)
    if writer is None:
        return "it was deleted"
    if writer.problem is not None:
        return writer.problem
    if writer.name != schema:
        return f"it is {writer.name or writer.record or 'no record'}, another record"
    return None


def _output_report(schemas: RegistrySchemas, subject: str, schema: str) -> SubjectReport:
    refusal = schemas.incompatibility(subject, schema)
    if refusal is None:
        return SubjectReport(subject, True, "takes the schema of this release")
    what = f"does not take the schema of this release, and a worker would not start: {refusal}"
    return SubjectReport(subject, False, what)
