"""The house rules hold: purity, packages, versions, sizes, words."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

from tests.support.checkout import ROOT

_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_TOPS = ("streams", "schemas", "models")
_CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")

_IMPURE = ("faust", "aiokafka", "confluent_kafka", "asyncio", "logging", "river")
_MODULE_LINES, _FUNCTION_LINES = 280, 70
# What a file that is finished does not say.
_UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
# Faust's own name, which the transport has to override.
_NOT_OUR_NAMES = {"_commit_handler"}
# Names that say nothing; what is inside does.
_EMPTY_WORDS = re.compile(r"(^|_)(manager|handler|helper|util|utils|common|misc)(_|$)")


def _sources() -> Iterator[Path]:
    for top in (*_TOPS, "tests"):
        yield from sorted((ROOT / top).rglob("*.py"))


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )


def _distribution(requirement: str) -> str:
    return re.split(r"[\[<>=~ ]", requirement)[0].lower().replace("_", "-")


def test_importing_the_engine_loads_no_broker_no_loop_and_no_log() -> None:
    code = (
        "import sys; import streams.core.engine.engine;"
        f"print(*[name for name in {_IMPURE!r} if name in sys.modules])"
    )
    done = _run(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_the_command_line_answers_for_help_without_a_broker() -> None:
    done = _run("from streams.cli.main import main; main(['--help'])")
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout


def test_every_package_is_shipped() -> None:
    patterns = _PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    assert sorted(patterns) == ["models*", "schemas*", "streams*"]
    folders = {path.parent for top in _TOPS for path in (ROOT / top).rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_every_data_file_is_shipped() -> None:
    shipped = {
        path
        for package, patterns in _PROJECT["tool"]["setuptools"]["package-data"].items()
        for pattern in patterns
        for path in (ROOT / package.replace(".", "/")).glob(pattern)
    }
    there = {
        path
        for top in _TOPS
        for path in (ROOT / top).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc", ".md")
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


def _offences(path: Path) -> Iterator[str]:
    """Name what one source file does against the rules."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    if (lines := text.count("\n")) > _MODULE_LINES:
        yield f"{lines} lines, {_MODULE_LINES} at most"
    if path != Path(__file__):
        yield from (f"unfinished: {word}" for word in _UNFINISHED.findall(text))
    if tree.body and not ast.get_docstring(tree):
        yield "no docstring says what it is for"
    if _EMPTY_WORDS.search(path.stem):
        yield "its name says nothing"
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name not in _NOT_OUR_NAMES and _EMPTY_WORDS.search(node.name.lower()):
            yield f"{node.name}: the name says nothing"
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if not isinstance(node, ast.ClassDef) and lines > _FUNCTION_LINES:
            yield f"{node.name}: {lines} lines, {_FUNCTION_LINES} at most"


def test_sources_are_small_finished_and_named_for_what_they_do() -> None:
    offences = [
        f"{path.relative_to(ROOT)}: {offence}" for path in _sources() for offence in _offences(path)
    ]
    assert offences == []


def _twice(named: Iterable[tuple[str, Path]]) -> dict[str, list[str]]:
    places = defaultdict[str, list[str]](list)
    for name, path in named:
        places[name].append(str(path.relative_to(ROOT)))
    return {name: found for name, found in places.items() if len(found) > 1}


def test_a_file_name_is_used_once() -> None:
    """A command's file is called as the command is, whatever else has that name."""
    named = (
        (path.stem, path)
        for path in _sources()
        if not path.is_relative_to(ROOT / "tests")
        and not path.stem.startswith("__")
        and not path.is_relative_to(ROOT / "streams" / "cli" / "commands")
    )
    assert _twice(named) == {}


def test_a_public_type_is_defined_once() -> None:
    named = (
        (node.name, path)
        for path in _sources()
        if not path.is_relative_to(ROOT / "tests")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert _twice(named) == {}
