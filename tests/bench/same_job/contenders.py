"""Who does the small job, how each is started, and what it needs to be here at all."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.options import CACHE
from tests.support.checkout import ROOT

_HERE = Path(__file__).parent
# Below the first line: what our own engine needs, which is run in it too.
_QUIX = (
    *("quixstreams==3.28.1", "fastavro>=1.13,<2", "cramjam>=2.14,<3"),
    *("msgspec>=0.22,<0.23", "numpy>=2.2.5,<3", "PyYAML>=6.0.3,<7", "tzdata>=2025.2"),
)
_SET_UP_WITHIN_S = 900


class Missing(Exception):
    """A contender cannot run on this machine; the message says why."""


@dataclass(frozen=True)
class Contender:
    """One that does the job.

    `prepare` returns the start of its command line or raises `Missing`; `group` makes its consumer
    group of the application's id. It gets one in `slowness` of the events.
    """

    key: str
    name: str
    terms: str
    prepare: Callable[[], Sequence[str]]
    slowness: int = 1
    group: str = "{}"


def _module(name: str) -> Callable[[], Sequence[str]]:
    return lambda: [sys.executable, "-m", f"tests.bench.same_job.{name}"]


def _quix() -> Sequence[str]:
    return [str(quix_python()), str(_HERE / "quix_app.py")]


def quix_python() -> Path:
    """Return the interpreter of Quix's own environment, making that the first time."""
    folder = CACHE / "quix"
    with _made_once(folder) as todo:
        if todo:
            _run([sys.executable, "-m", "venv", str(folder)])
            pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
            _run([*pip, "--disable-pip-version-check", *_QUIX])
    return folder / "bin" / "python"


def _kafka_streams() -> Sequence[str]:
    for tool in ("java", "javac", "mvn"):
        if shutil.which(tool) is None:
            raise Missing(f"there is no `{tool}` here")
    folder, source = CACHE / "streams", _HERE / "streams"
    with _made_once(folder) as todo:
        if todo:
            pom = str(source / "pom.xml")
            copy = ["dependency:copy-dependencies", f"-DoutputDirectory={folder / 'libs'}"]
            _run(["mvn", "-q", "-B", "-f", pom, *copy])
    classes = folder / "classes"
    java_file = str(source / "ClickTotals.java")
    _run(["javac", "-cp", f"{folder / 'libs'}/*", "-d", str(classes), java_file])
    return [
        *("java", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"),
        *("-cp", f"{classes}:{folder / 'libs'}/*", "ClickTotals"),
    ]


CONTENDERS = (
    Contender(
        "ours",
        "Concierge's shell",
        "a worker's default settings: changelog, checkpoints every second, idempotent, lz4",
        _module("ours"),
        group="{}-totals",
    ),
    Contender(
        "plain",
        "plain loop",
        "confluent-kafka, batches of 10,000, dict, commit after flush every second, no changelog",
        _module("plain"),
    ),
    Contender(
        "quix",
        "Quix Streams 3.28",
        "RocksDB state, changelog, its default checkpoint (5 s), idempotent producer, lz4",
        _quix,
    ),
    Contender(
        "faust",
        "idiomatic Faust",
        "one agent, one Table in memory with changelog, default commits (2.8 s), lz4",
        _module("faust_app"),
        slowness=10,
    ),
    Contender(
        "kafka_streams",
        "Kafka Streams 4.3",
        "one thread, at least once, cached RocksDB store with changelog, commit every second, lz4",
        _kafka_streams,
    ),
)


@contextmanager
def _made_once(folder: Path) -> Iterator[bool]:
    """Tell whether something has still to be made; two benchmarks at once do not make it twice."""
    CACHE.mkdir(exist_ok=True)
    mark = folder / ".complete"
    with (CACHE / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if mark.exists():
            yield False
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        yield True
        mark.touch()


def _run(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=_SET_UP_WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"{' '.join(command[:4])}: {error}") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-300:]
        raise Missing(f"{' '.join(command[:4])} failed: {said}")
