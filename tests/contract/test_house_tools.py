"""The linters' and checkers' rules hold wherever the tests run, not only under `make test`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

_TOOLS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy --strict": ["mypy"],
    "import contracts": ["lint-imports", "--no-logo"],
}


@pytest.mark.skipif(
    os.environ.get("CONCIERGE_LINTED") == "1", reason="`make test` has just run the same tools"
)
@pytest.mark.parametrize("tool", _TOOLS)
def test_the_tool_finds_nothing(tool: str) -> None:
    name, *arguments = _TOOLS[tool]
    command = [str(Path(sys.executable).parent / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
