"""The requests of a Confluent registry that Concierge sends, answered from memory."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Page = dict[str, Any]
# Subject and version, as a schema lists what it refers to.
Referred = tuple[str, int]


class FakeRegistry(ThreadingHTTPServer):
    """Serves once `serving` runs it; `status` other than 200 is its answer to everything."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.schemas: dict[int, Page] = {}
        self.versions: dict[str, dict[int, Page]] = {}
        self.subjects: list[str] = []
        self.asked: list[str] = []
        self.status = 200
        # None: its answer to a question of compatibility lacks the field.
        self.compatible: bool | None = True
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def add(
        self, number: int, text: str, *refers_to: Referred, kind: str = "AVRO", subject: str = ""
    ) -> None:
        """Put a schema under an id, and as the next version of a subject, if one is named."""
        page: Page = {"schema": text}
        if kind != "AVRO":
            page["schemaType"] = kind
        if refers_to:
            page["references"] = [
                {"name": named, "subject": named, "version": version}
                for named, version in refers_to
            ]
        self.schemas[number] = page
        if subject:
            known = self.versions.setdefault(subject, {})
            version = len(known) + 1
            known[version] = page | {"subject": subject, "version": version, "id": number}

    def answer(self, path: str) -> tuple[int, object]:
        """Return status and body for a question."""
        if self.status != 200:
            return self.status, {"error_code": self.status, "message": "no"}
        match path.split("?")[0].strip("/").split("/"):
            case ["schemas", "ids", number]:
                found: object = self.schemas.get(int(number))
                error = {"error_code": 40403, "message": "Schema not found"}
            case ["subjects", subject, "versions"]:
                found = sorted(self.versions.get(subject, ())) or None
                error = {"error_code": 40401, "message": "Subject not found"}
            case ["subjects", subject, "versions", version]:
                found = self.versions.get(subject, {}).get(int(version))
                error = {"error_code": 40402, "message": "Version not found"}
            case _:
                raise AssertionError(f"an unexpected question for {path}")
        return (404, error) if found is None else (200, found)


class _Answers(BaseHTTPRequestHandler):
    server: FakeRegistry

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self._answer(*self.server.answer(self.path))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        parts = self.path.split("?")[0].strip("/").split("/")
        if parts[0] == "compatibility":
            subject = parts[2]
            if subject in self.server.versions:
                compatible = self.server.compatible
                self._answer(200, {} if compatible is None else {"is_compatible": compatible})
            else:
                self._answer(404, {"error_code": 40401, "message": "Subject not found"})
            return
        known = {page["schema"]: number for number, page in self.server.schemas.items()}
        number = known.get(body["schema"], 100 + len(known))
        self.server.schemas[number] = {"schema": body["schema"]}
        self.server.subjects.append(parts[1])
        self._answer(200, {"id": number})

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@contextmanager
def serving() -> Iterator[FakeRegistry]:
    """Run a registry in a thread."""
    registry = FakeRegistry()
    thread = threading.Thread(target=registry.serve_forever, args=(0.01,))
    thread.start()
    yield registry
    registry.shutdown()
    thread.join()
    registry.server_close()
