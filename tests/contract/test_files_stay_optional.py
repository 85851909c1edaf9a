"""DuckDB is for feeds and back-tests: workers and the demo start and run without it."""

from __future__ import annotations

import subprocess
import sys

BLOCKED = "import sys; sys.modules['duckdb'] = None; "


def run(code: str) -> str:
    found = subprocess.run(
        [sys.executable, "-c", BLOCKED + code], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_every_module_can_be_imported_without_duckdb() -> None:
    code = (
        "import importlib, pkgutil, streams\n"
        "for found in pkgutil.walk_packages(streams.__path__, 'streams.'):\n"
        "    if not found.name.endswith('__main__'): importlib.import_module(found.name)\n"
        "print('all')"
    )
    assert "all" in run(code)


def test_the_demo_reads_its_own_data_without_duckdb() -> None:
    code = (
        "from streams.demo.online_retail import open_shipped, read_invoices\n"
        "with open_shipped() as file: print(sum(1 for _ in read_invoices(file)))"
    )
    assert run(code).strip() == "22190"
