"""A real Apache Kafka broker of our own, from Maven jars: no Docker, free ports, own log folder.

`python -m tests.support.kafka` runs one in the foreground (that is `make kafka`); the `kafka`
fixture starts and stops one around the tests that need durability, compaction or a real rebalance.
"""

from __future__ import annotations

import argparse
import base64
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.support.checkout import ROOT
from tests.support.kafka_properties import (
    Listener,
    follower_properties,
    free_port,
    server_properties,
)
from tests.support.patience import PATIENCE_S

POM = ROOT / "deploy" / "kafka" / "pom.xml"
JARS = ROOT / ".kafka" / "libs"
# Written last, so that an interrupted download is not taken for a whole one.
_COMPLETE = JARS / ".complete"

# A broker listens 3-4 s after its start; a busy machine may need many times that.
_START_TIMEOUT_S = PATIENCE_S
_STOP_TIMEOUT_S = 120.0
_CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


class KafkaUnavailable(Exception):
    """This machine cannot run a real Kafka; the message says what is missing."""


def fetch_jars() -> Path:
    """Return the folder of Kafka's jars, downloading them with Maven the first time."""
    if shutil.which("java") is None:
        raise KafkaUnavailable("a real Kafka needs Java 17 or newer; there is no `java` here")
    if not _COMPLETE.exists():
        if shutil.which("mvn") is None:
            raise KafkaUnavailable("Kafka's jars come from Maven; there is no `mvn` here")
        shutil.rmtree(JARS, ignore_errors=True)
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={JARS}"]
        done = subprocess.run(
            ["mvn", "-q", "-B", "-f", str(POM), *goal],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if done.returncode != 0:
            raise KafkaUnavailable(f"Maven could not fetch Kafka's jars: {done.stdout[-800:]}")
        _COMPLETE.touch()
    return JARS


class RealKafka:
    """One broker with its own ports and log folder; `kill` and `start` again for crash tests.

    It always has a plain listener (`bootstrap`); `listeners` are further ones, `properties` go
    before ours (an authorizer, for example).
    """

    def __init__(
        self,
        port: int = 0,
        *,
        listeners: Sequence[Listener] = (),
        properties: Mapping[str, str] | None = None,
    ) -> None:
        self._jars = fetch_jars()
        self._folder = Path(tempfile.mkdtemp(prefix="concierge-kafka-"))
        self._port = port or free_port()
        self._controller = free_port()
        # Kafka's own form of a cluster id: 16 random bytes in URL-safe base64, unpadded.
        self._cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        self._voting = "--standalone"
        self._listeners = listeners
        self._further = properties or {}
        self._log = self._folder / "broker.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """The broker's address; the same after a restart."""
        return f"127.0.0.1:{self._port}"

    def follower(self) -> RealKafka:
        """Return a second broker of the same cluster, not started; it needs this one to run."""
        port = free_port()
        second = RealKafka(port, properties=follower_properties(port))
        second._controller, second._cluster = self._controller, self._cluster
        second._voting = "--no-initial-controllers"
        return second

    def start(self) -> RealKafka:
        """Start the broker (again) and wait until it answers."""
        properties = self._folder / "server.properties"
        if not properties.exists():
            ports = self._port, self._controller
            text = server_properties(*ports, self._folder, self._listeners, self._further)
            properties.write_text(text, encoding="utf-8")
            format_it = ["format", self._voting, f"--cluster-id={self._cluster}"]
            self._java("kafka.tools.StorageTool", *format_it, "-c", str(properties))
        command = [*self._java_command(), "-Xmx512m", "kafka.Kafka", str(properties)]
        if shutil.which("setpriv") is not None:
            # Even a test run that was itself killed leaves no broker behind.
            command = ["setpriv", "--pdeathsig", "KILL", *command]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, stdout=log, stderr=log, start_new_session=True
            )
        self._await_answer(self._process)
        return self

    def kill(self) -> None:
        """End the broker at once, as a crash would; its log folder stays."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End the broker and remove its log folder."""
        self._end(signal.SIGTERM)
        shutil.rmtree(self._folder, ignore_errors=True)

    def compressions(self, topic: str) -> set[str]:
        """Return how the batches in a topic's log files are compressed ("none", "gzip", ...)."""
        found = set()
        for path in self._folder.glob(f"data/{topic}-*/*.log"):
            data, at = path.read_bytes(), 0
            # A record batch: base offset (8), length of the rest (4), leader epoch (4), magic (1),
            # checksum (4), attributes (2), of which the lowest three bits name the codec.
            while at + 23 <= len(data) and (
                length := int.from_bytes(data[at + 8 : at + 12], "big")
            ):
                found.add(_CODECS[data[at + 22] & 0b111])
                at += 12 + length
        return found

    def wait(self) -> int:
        """Wait until the broker ends by itself; return its exit code."""
        if self._process is None:
            raise RuntimeError("the broker is not running; call start() first")
        return self._process.wait()

    def __enter__(self) -> RealKafka:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _java_command(self) -> list[str]:
        # Both options make a short life shorter: no optimising compiler, no parallel collector.
        return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{self._jars}/*"]

    def _java(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._java_command(), *arguments],
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=_START_TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(arguments[:2])} failed: {done.stderr[-800:]}")
        return done.stdout

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise RuntimeError(f"Kafka ended at its start:\n{self._log_tail()}")
            try:
                if admin.list_topics(timeout=1.0).brokers:
                    return
            except KafkaException:
                continue
        raise RuntimeError(f"Kafka did not answer in {_START_TIMEOUT_S} s:\n{self._log_tail()}")

    def _log_tail(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-2_000:]

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(how)
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return port != 0 and probe.connect_ex(("127.0.0.1", port)) == 0


def main() -> int:
    """Run one broker in the foreground until Ctrl-C, or only fetch its jars."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.kafka", description=main.__doc__)
    parser.add_argument("--port", type=int, default=9092, help="0 takes a free one")
    parser.add_argument("--fetch", action="store_true", help="download the jars and end")
    arguments = parser.parse_args()
    try:
        if arguments.fetch:
            print(f"Kafka's jars are in {fetch_jars().relative_to(ROOT)}")
            return 0
        if _is_taken(arguments.port):
            print(f"port {arguments.port} is taken; choose another: PORT=19092", file=sys.stderr)
            return 3
        with RealKafka(arguments.port) as broker:
            print(
                f"Kafka listens on {broker.bootstrap}; Ctrl-C ends it, nothing is kept.", flush=True
            )
            return broker.wait()
    except KafkaUnavailable as missing:
        print(missing, file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
