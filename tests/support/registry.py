"""A real Schema Registry (Apicurio, from Maven Central), for the tests that ask for one."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.kafka_properties import free_port
from tests.support.patience import PATIENCE_S

VERSION = "3.0.9"
_ARTIFACT = f"io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all"
_FOLDER = ROOT / ".kafka" / "registry"
# 109 MB the first time; it listens after a few seconds, a busy machine needs many times that.
_FETCH_TIMEOUT_S, _START_TIMEOUT_S = 900.0, PATIENCE_S
# Small and quick to start: one test uses it, for seconds.
_JVM = ("-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


@contextmanager
def running_registry(folder: Path) -> Iterator[str]:
    """Run a registry with its log in `folder` and yield its Confluent-compatible URL.

    Skips unless CONCIERGE_REGISTRY_TEST=1, and where it cannot be fetched.
    """
    if os.environ.get("CONCIERGE_REGISTRY_TEST") != "1":
        pytest.skip("a real registry is 109 MB: CONCIERGE_REGISTRY_TEST=1 fetches and runs it")
    jar = _fetched()
    port = free_port()
    options = ["-Dquarkus.http.host=127.0.0.1", f"-Dquarkus.http.port={port}"]
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen(
            ["java", *_JVM, *options, "-jar", str(jar)], cwd=jar.parent, stdout=log, stderr=log
        )
        try:
            url = f"http://127.0.0.1:{port}/apis/ccompat/v7"
            _await(url, process)
            yield url
        finally:
            process.kill()
            process.wait()


def _fetched() -> Path:
    jar = _FOLDER / f"apicurio-registry-app-{VERSION}-runner.jar"
    if jar.exists():
        return jar
    if shutil.which("mvn") is None or shutil.which("java") is None:
        pytest.skip("a real registry needs Java 17 and Maven")
    for goal in (
        ["dependency:get", "-Dtransitive=false"],
        ["dependency:copy", f"-DoutputDirectory={_FOLDER}"],
    ):
        done = subprocess.run(
            ["mvn", "-q", "-B", *goal, f"-Dartifact={_ARTIFACT}"],
            capture_output=True,
            text=True,
            timeout=_FETCH_TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0:
            pytest.skip(f"Maven could not fetch the registry: {done.stdout[-300:]}")
    [archive] = _FOLDER.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(_FOLDER, filter="data")
    archive.unlink()
    return jar


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline_s:
        assert process.poll() is None, "the registry ended at its start"
        try:
            with urllib.request.urlopen(f"{url}/subjects", timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError(f"the registry did not answer within {_START_TIMEOUT_S:.0f} s")
