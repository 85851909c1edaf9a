"""The house rules hold: purity, packages, versions, sizes, words."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.kafka import ROOT

_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_PACKAGES: list[str] = _PROJECT["tool"]["setuptools"]["packages"]
_CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")

_IMPURE = ("faust", "aiokafka", "confluent_kafka", "asyncio", "logging", "river")
_MODULE_LINES, _FUNCTION_LINES = 250, 70
# What a file that is finished does not say.
_UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
# Faust's own name, which the transport has to override.
_NOT_OUR_NAMES = {"_commit_handler"}
# Names that say nothing; what is inside does.
_EMPTY_WORDS = re.compile(r"(^|_)(manager|handler|helper|util|utils|common|misc)(_|$)")


def _sources() -> Iterator[Path]:
    for top in ("streams", "schemas", "models", "tests"):
        yield from sorted((ROOT / top).rglob("*.py"))


_SOURCES = list(_sources())
_each_source = pytest.mark.parametrize("path", _SOURCES, ids=lambda p: str(p.relative_to(ROOT)))


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )


def _distribution(requirement: str) -> str:
    return re.split(r"[\[<>=~ ]", requirement)[0].lower().replace("_", "-")


def test_importing_the_engine_loads_no_broker_no_loop_and_no_log() -> None:
    code = (
        "import sys; import streams.core.engine;"
        f"print(*[name for name in {_IMPURE!r} if name in sys.modules])"
    )
    done = _run(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_the_command_line_answers_for_help_without_a_broker() -> None:
    done = _run("from streams.cli.main import main; main(['--help'])")
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout


def test_every_package_is_declared() -> None:
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for top in ("streams", "schemas", "models")
        for path in (ROOT / top).rglob("__init__.py")
    }
    assert found == set(_PACKAGES)


def test_every_data_file_is_shipped() -> None:
    shipped = {
        path
        for package, patterns in _PROJECT["tool"]["setuptools"]["package-data"].items()
        for pattern in patterns
        for path in (ROOT / package.replace(".", "/")).glob(pattern)
    }
    there = {
        path
        for package in _PACKAGES
        for path in (ROOT / package.replace(".", "/")).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert there - shipped == set()


def test_every_requirement_is_locked() -> None:
    project = _PROJECT["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = {_distribution(requirement) for requirements in lists for requirement in requirements}
    locked = {_distribution(line) for line in _CONSTRAINTS.splitlines() if "==" in line}
    assert wanted - {"concierge"} <= locked


def test_faust_is_the_version_whose_names_the_shell_overrides() -> None:
    assert version("faust-streaming") == "0.15.3"
    assert "faust-streaming==0.15.3" in _CONSTRAINTS


@_each_source
def test_a_module_is_small_finished_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    lines = text.count("\n")
    assert lines <= _MODULE_LINES
    if path != Path(__file__):
        assert _UNFINISHED.findall(text) == []
    assert ast.get_docstring(tree) or not tree.body


@_each_source
def test_functions_are_small_and_names_say_something(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name not in _NOT_OUR_NAMES:
            assert not _EMPTY_WORDS.search(node.name.lower()), node.name
        if not isinstance(node, ast.ClassDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= _FUNCTION_LINES, f"{node.name} has {lines} lines"


@_each_source
def test_a_module_is_not_called_after_nothing(path: Path) -> None:
    assert not _EMPTY_WORDS.search(path.stem)
