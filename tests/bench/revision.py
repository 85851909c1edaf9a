"""A git revision beside the working tree, ready to be measured by its own benchmark code.

In: a revision's name. Out: a `Side`, that is a folder with the revision's files and the Python that
runs them. The folder is made of `git archive` under `.bench` and is removed afterwards: an archive
leaves nothing behind in the repository, where a `git worktree` that was killed stays registered.

The revision runs under this interpreter, so that both sides have the same environment. Only where a
package that it needs at run time has another version here, or is missing, does it get a virtual
environment of its own (kept in `.bench`). What only developers need, linters for example, may
differ.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.bench.options import CACHE
from tests.support.checkout import ROOT
from tests.support.kafka import JARS, POM

_IMPORTED = ("schemas", "models", "streams", "tests")
_WHERE = "import models, schemas, streams, tests.bench as b; print(models.__file__, \
schemas.__file__, streams.__file__, b.__file__, sep='\\n')"


class RevisionUnusable(RuntimeError):
    """The revision cannot be measured; the message says why."""


@dataclass(frozen=True)
class Side:
    """One of the two that are compared: its name in tables, its files, the Python that runs it."""

    name: str
    tree: Path
    python: Path


def working_tree() -> Side:
    """Return the files as they are now, committed or not."""
    return _made_ready(Side("working tree", ROOT, Path(sys.executable)))


@contextmanager
def revision_tree(revision: str) -> Iterator[Side]:
    """Unpack a revision for as long as the block runs; raises `RevisionUnusable`."""
    commit = _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").decode().strip()
    if not commit:
        raise RevisionUnusable(f"git knows no revision {revision!r} (a shallow clone has few)")
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"at-{commit[:12]}-", dir=CACHE) as folder:
        tree = Path(folder)
        with tarfile.open(fileobj=io.BytesIO(_git("archive", "--format=tar", commit))) as archive:
            archive.extractall(tree, filter="data")
        if not (tree / "tests" / "bench" / "__main__.py").exists():
            raise RevisionUnusable(f"{revision} has no benchmarks (tests/bench)")
        _share_jars(tree)
        yield _made_ready(Side(revision, tree, _python_for(tree)))


def differences(
    dependencies: Sequence[str], pins: Mapping[str, str], installed: Mapping[str, str]
) -> dict[str, str]:
    """Return by package what an environment has otherwise than a revision pins it, in words.

    `installed` has every package that the dependencies bring along; one that is missing there
    although it is a direct dependency is a difference, too.
    """
    found = {
        name: f"{installed[name]} here, {pins[name]} there"
        for name in installed
        if name in pins and pins[name] != installed[name]
    }
    for each in dependencies:
        name = canonicalize_name(Requirement(each).name)
        if name not in installed:
            found[name] = "missing here"
    return found


def pinned(text: str) -> dict[str, str]:
    """Return version by package of a constraints file."""
    rows = (line.split("#")[0].strip().partition("==") for line in text.splitlines())
    return {canonicalize_name(name): version for name, _, version in rows if version}


def installed_for(dependencies: Sequence[str]) -> dict[str, str]:
    """Return version by package of what is installed here of dependencies and all they need."""
    found: dict[str, str] = {}
    waiting = [Requirement(each) for each in dependencies]
    asked: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        needed = waiting.pop()
        name, extras = canonicalize_name(needed.name), frozenset(needed.extras)
        if (name, extras) in asked:
            continue
        asked.add((name, extras))
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        for text in metadata.requires(name) or ():
            further = Requirement(text)
            wanted = [{"extra": extra} for extra in ("", *extras)]
            if further.marker is None or any(map(further.marker.evaluate, wanted)):
                waiting.append(further)
    return found


def _python_for(tree: Path) -> Path:
    text = (tree / "constraints.txt").read_text(encoding="utf-8")
    project = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    dependencies: list[str] = project["dependencies"]
    if not differences(dependencies, pinned(text), installed_for(dependencies)):
        return Path(sys.executable)
    name = hashlib.sha256(repr((sys.version, text, dependencies)).encode()).hexdigest()[:12]
    folder = CACHE / "environments" / name
    python, complete = folder / "bin" / "python", folder / ".complete"
    if not complete.exists():
        _run([sys.executable, "-m", "venv", "--clear", str(folder)], ROOT)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        pins = ["--constraint", str(tree / "constraints.txt")]
        _run([str(python), *install, *pins, *dependencies], tree)
        complete.touch()
    return python


def _share_jars(tree: Path) -> None:
    """Give the revision Kafka's jars from here, if it wants the same ones."""
    theirs = tree / POM.relative_to(ROOT)
    if JARS.exists() and theirs.exists() and theirs.read_bytes() == POM.read_bytes():
        (tree / ".kafka").symlink_to(JARS.parent)


def _made_ready(side: Side) -> Side:
    """Compile a side's modules, so that no first run pays for it, and see that they are its own."""
    folders = [name for name in _IMPORTED if (side.tree / name).is_dir()]
    _run([str(side.python), "-m", "compileall", "-q", *folders], side.tree)
    for line in _run([str(side.python), "-c", _WHERE], side.tree).splitlines():
        # An installed copy of the project that came first would be measured as both sides.
        if not Path(line).resolve().is_relative_to(side.tree.resolve()):
            raise RevisionUnusable(f"{side.name} would run {line}, not the files in {side.tree}")
    return side


def _git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    if done.returncode != 0 and done.stderr:
        raise RevisionUnusable(done.stderr.decode(errors="replace").strip())
    return done.stdout


def _run(command: Sequence[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RevisionUnusable(f"{' '.join(command[:4])} failed: {done.stderr[-2_000:].strip()}")
    return done.stdout
