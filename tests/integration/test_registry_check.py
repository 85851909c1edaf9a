"""`concierge check` asks the registry: what it holds for our topics, and whether we can read it."""

from __future__ import annotations

import json

import pytest

from schemas.bundled import schema_text
from streams.cli.commands.check_registry import registry_is_fine
from streams.cli.console import stdout_console
from streams.cli.main import concierge
from streams.shell.settings.settings import Settings
from tests.support.fake_registry import FakeRegistry

PREFIX = "shop."


def asked(
    server: FakeRegistry, capsys: pytest.CaptureFixture[str]
) -> tuple[bool, list[str], list[str]]:
    """Return whether all is fine, what is printed as fine, and the problems."""
    settings = Settings(schema_registry_url=server.url, topic_prefix=PREFIX, app_id="shop")
    fine = registry_is_fine(settings, stdout_console())
    said = capsys.readouterr()
    return fine, [" ".join(line.split()) for line in said.out.splitlines()], said.err.splitlines()


def test_without_a_registry_nothing_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert registry_is_fine(Settings(), stdout_console())
    assert capsys.readouterr().out == ""


def test_an_empty_registry_is_fine(
    server: FakeRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    fine, good, problems = asked(server, capsys)
    assert (fine, problems) == (True, [])
    assert "ok subject shop.clickstream-value not registered yet; its writers do so" in good
    assert "ok subject shop.decisions-value takes the schema of this release" in good
    assert len(good) == 7


def test_what_can_be_read_is_counted_and_an_older_version_that_cannot_is_named(
    server: FakeRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    old = json.loads(schema_text("clickstream"))
    old["fields"] = [f for f in old["fields"] if f["name"] != "customer_id"]
    server.add(1, json.dumps(old), subject="shop.clickstream-value")
    server.add(2, schema_text("clickstream"), subject="shop.clickstream-value")
    fine, good, problems = asked(server, capsys)
    assert (fine, problems) == (True, [])
    said = " ".join(good)
    assert "version 1 cannot be read as clickstream: record.customer_id: the writer has no" in said
    assert "subject shop.clickstream-value 1 of the last 2 can be read" in said


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        (schema_text("purchases"), "AVRO", "it is purchases, another record"),
        ('{"type": "string"}', "AVRO", "it is no record, another record"),
        ("{", "AVRO", "the schema is no valid Avro schema"),
        ('syntax = "proto3";', "PROTOBUF", "it is a PROTOBUF schema, and Concierge reads Avro"),
    ],
)
def test_a_newest_version_that_cannot_be_read_is_a_problem(
    server: FakeRegistry, capsys: pytest.CaptureFixture[str], text: str, kind: str, said: str
) -> None:
    server.add(1, schema_text("clickstream"), subject="shop.clickstream-value")
    server.add(2, text, kind=kind, subject="shop.clickstream-value")
    fine, _, [problem] = asked(server, capsys)
    assert not fine
    start = "subject shop.clickstream-value: version 2 cannot be read as clickstream: "
    assert problem.startswith(start + said)


def test_a_subject_that_takes_no_schema_of_ours_is_a_problem(
    server: FakeRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add(1, '{"type": "string"}', subject="shop.decisions-value")
    server.compatible = False
    fine, _, [problem] = asked(server, capsys)
    assert not fine
    assert problem.startswith("subject shop.decisions-value: does not take the schema")
    assert "a worker would not start" in problem


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_registry_that_says_no_is_a_problem(
    server: FakeRegistry, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    server.status = status
    fine, good, [problem] = asked(server, capsys)
    assert (fine, good) == (False, [])
    assert problem.startswith(f"registry: {server.url} ")


def test_an_answer_without_a_field_is_one_clear_line(
    server: FakeRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add(1, schema_text("decisions"), subject="shop.decisions-value")
    server.compatible = None
    fine, _, [problem] = asked(server, capsys)
    assert not fine
    assert problem == (
        f"registry: {server.url} sent an answer without 'is_compatible': does "
        "CONCIERGE_SCHEMA_REGISTRY_URL name a Confluent-compatible Schema Registry?"
    )


def test_a_registry_that_is_not_there_is_a_problem(capsys: pytest.CaptureFixture[str]) -> None:
    gone = FakeRegistry()
    gone.server_close()
    fine, _, [problem] = asked(gone, capsys)
    assert not fine
    assert "cannot be reached" in problem


def test_the_command_asks_the_registry_unless_it_is_to_stay_offline(
    server: FakeRegistry, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add(1, "{}", kind="JSON", subject="support-value")
    monkeypatch.setenv("CONCIERGE_SCHEMA_REGISTRY_URL", server.url)
    monkeypatch.setattr(
        "streams.cli.commands.check._topics_are_fine", lambda settings, console: True
    )
    assert concierge.main(["check"], standalone_mode=False) == 1
    assert "subject support-value: version 1 cannot be read as support" in capsys.readouterr().err
    asked_before = len(server.asked)
    assert concierge.main(["check", "--offline"], standalone_mode=False) == 0
    assert len(server.asked) == asked_before
