"""Unusable certificate files are reported, with advice, before anything connects."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.shell.kafka.certificates import certificate_problems
from streams.shell.settings.settings import Settings
from tests.integration.certificates import Certificates, make_certificates


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"), "client", "hush-locked")


def _settings(files: Certificates, **given: str | Path) -> Settings:
    texts: dict[str, str | Path] = {
        "kafka_ca_file": files.ca,
        "kafka_cert_file": files.client,
        "kafka_key_file": files.client_key,
        **given,
    }
    environ = {f"CONCIERGE_{name.upper()}": str(text) for name, text in texts.items()}
    return Settings.from_env({"CONCIERGE_KAFKA_PROTOCOL": "SSL", **environ})


def _only_problem(settings: Settings) -> str:
    [problem] = certificate_problems(settings)
    assert "hush" not in problem
    return problem


def test_files_that_fit_are_no_problem(files: Certificates) -> None:
    assert certificate_problems(_settings(files)) == []
    locked = _settings(files, kafka_key_file=files.locked_key, kafka_key_password="hush-locked")
    assert certificate_problems(locked) == []
    assert certificate_problems(Settings()) == []


@pytest.mark.parametrize("password", ["", "hush-wrong"])
def test_a_locked_key_needs_its_password_and_nobody_is_asked_for_it(
    files: Certificates, password: str
) -> None:
    settings = _settings(files, kafka_key_file=files.locked_key, kafka_key_password=password)
    assert "CONCIERGE_KAFKA_KEY_PASSWORD" in _only_problem(settings)


def test_a_key_of_another_certificate_is_refused(files: Certificates) -> None:
    other = files.ca.with_suffix(".key")
    problem = _only_problem(_settings(files, kafka_key_file=other))
    assert "the key must be the certificate's" in problem


@pytest.mark.parametrize("name", ["kafka_ca_file", "schema_registry_ca_file"])
def test_a_ca_file_that_is_missing_or_no_certificate_is_named(
    files: Certificates, tmp_path: Path, name: str
) -> None:
    registry: dict[str, str | Path] = {"schema_registry_url": "https://registry"}
    variable = f"CONCIERGE_{name.upper()}"
    problem = _only_problem(_settings(files, **{**registry, name: tmp_path / "none"}))
    assert problem.startswith(f'{variable}="')
    assert "cannot be read: No such file" in problem
    text = tmp_path / "text"
    text.write_text("no certificate", encoding="utf-8")
    problem = _only_problem(_settings(files, **{**registry, name: text}))
    assert "contains no certificate" in problem


def test_a_certificate_that_is_missing_is_named(files: Certificates, tmp_path: Path) -> None:
    problem = _only_problem(_settings(files, kafka_cert_file=tmp_path / "none"))
    assert "CONCIERGE_KAFKA_CERT_FILE" in problem
    assert "cannot be read" in problem
