"""Ctrl-C and a closed pipe show no traceback."""

from __future__ import annotations

import subprocess
import sys

import pytest

from streams.cli import start
from tests.support.checkout import ROOT


def test_ctrl_c_during_the_imports_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "streams.cli.main", raising=False)
    monkeypatch.setattr("builtins.__import__", interrupted)
    with pytest.raises(SystemExit) as ended:
        start.main()
    assert ended.value.code == start.EXIT_INTERRUPTED


@pytest.mark.parametrize(
    "arguments", [["check", "--settings"], ["topics", "--declared"], ["topics", "--acls"]]
)
def test_a_reader_that_has_seen_enough_is_no_error(arguments: list[str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "streams", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
