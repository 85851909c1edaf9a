"""Processes that were started together end together, with the code of the first that failed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from streams.shell.process.children import concierge_command, concierge_environment, run_processes
from tests.support.checkout import ROOT
from tests.support.patience import PATIENCE_S


def python(code: str) -> tuple[Sequence[str], Mapping[str, str]]:
    return [sys.executable, "-c", code], dict(os.environ)


WAITS = python("import signal; signal.sigwait([signal.SIGINT])")


def test_all_end_when_one_ends_and_its_failure_is_reported() -> None:
    said: list[str] = []
    each = {"one": WAITS, "two": python("raise SystemExit(7)"), "three": WAITS}
    assert run_processes(each, said.append) == 7
    assert said == ["two ended with 7; ending the others"]


def test_the_end_of_one_that_a_signal_killed_is_reported_as_a_shell_does() -> None:
    killed = python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    said: list[str] = []
    assert run_processes({"decide": killed}, said.append) == 128 + signal.SIGKILL
    assert said == ["decide was ended by SIGKILL; ending the others"]


def test_all_that_end_well_are_an_end_that_is_well() -> None:
    assert run_processes({"one": python("pass"), "two": python("pass")}, print) == 0


def test_sigterm_reaches_every_child() -> None:
    """Each child takes SIGTERM for its orderly end, and so the whole ends with 0."""
    # One write, so that two lines stay two; blocked, so that no signal comes before the wait.
    child = (
        "import os, signal; term = {signal.SIGTERM};"
        "signal.pthread_sigmask(signal.SIG_BLOCK, term);"
        "os.write(1, b'up\\n'); signal.sigwait(term)"
    )
    parent = (
        "import os, sys; from streams.shell.process.children import run_processes;"
        f"each = ([sys.executable, '-c', {child!r}], dict(os.environ));"
        "sys.exit(run_processes(dict(one=each, two=each), print))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        try:
            assert [process.stdout.readline() for _ in range(2)] == ["up\n", "up\n"]
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
        finally:
            # Whose end the block would wait for; its children go with it.
            process.kill()


def test_what_lies_in_the_current_directory_is_never_run(tmp_path: Path) -> None:
    for name in ("models", "schemas", "streams"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('not ours')")
    done = subprocess.run(
        concierge_command("--version"),
        cwd=tmp_path,
        env=concierge_environment(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
