"""`concierge check` finds what a worker would stumble over, and says it without a trace."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.cli.commands.check import check
from streams.cli.main import concierge
from streams.shell.settings.paths import bundled_catalogue


def _check(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, **environ: str
) -> tuple[int, list[str]]:
    for name, value in environ.items():
        monkeypatch.setenv(f"CONCIERGE_{name}", value)
    code: int = concierge.main(["check", "--offline"], standalone_mode=False)
    return code, capsys.readouterr().err.splitlines()


def test_what_is_right_is_reported_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _check(capsys, monkeypatch) == (0, [])


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SCHEMA_REGISTRY_URL", "registry:8081", "write https://host:port"),
        ("KAFKA", "broker", "write host:port"),
        ("APP_ID", "my app", "letters, digits"),
        ("CATALOGUE_PATH", "/nowhere/at/all.yaml", "cannot read"),
        ("CATALOGUE_PATH", "grcer", 'nor a starter pack "grcer"; did you mean `grocer`'),
        ("CATALOGUE_PATH", "airline", "available: bank, grocer, saas, shop, streaming"),
    ],
)
def test_a_wrong_setting_is_one_line_with_what_to_do(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    words: str,
) -> None:
    code, [line] = _check(capsys, monkeypatch, **{name: value})
    assert code == 1
    assert words in line


def test_a_ca_file_that_cannot_be_used_is_reported(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate", encoding="utf-8")
    code, [line] = _check(capsys, monkeypatch, KAFKA_PROTOCOL="SSL", KAFKA_CA_FILE=str(file))
    assert code == 1
    assert line.startswith(f'settings: CONCIERGE_KAFKA_CA_FILE="{file}" contains no certificate')


def test_several_problems_are_reported_at_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, lines = _check(capsys, monkeypatch, KAFKA="broker", APP_ID="a b", HTTP_HOST="0.0.0.0")
    assert code == 1
    assert len(lines) == 3


def test_help_says_what_the_exit_codes_mean() -> None:
    assert "Exit code 0" in (check.help or "")


def test_service_with_a_single_channel_is_a_warning_and_no_mistake(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = bundled_catalogue("shop").read_text("utf-8")
    note = '          - {id: note, channel: app, message: "Sorry that it was not right.'
    assert note in text
    one = "\n".join(line for line in text.splitlines() if not line.startswith(note))
    file = tmp_path / "shop.yaml"
    file.write_text(one + "\n", "utf-8")
    for catalogue, warned in ((str(file), True), ("shop", False)):
        monkeypatch.setenv("CONCIERGE_CATALOGUE_PATH", catalogue)
        assert concierge.main(["check", "--offline"], standalone_mode=False) == 0
        said = " ".join(capsys.readouterr().out.split())
        assert ("only one channel: apology_after_refund (email)" in said) == warned
        assert ("add a treatment on another one" in said) == warned
