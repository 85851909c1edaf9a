"""Certificates of a test's own, made with openssl in its folder: one CA, a broker, a client."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

_DAYS = "2"
_CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]


@dataclass(frozen=True)
class Certificates:
    """Files (PEM) in one folder; `foreign_ca` has signed nothing, `locked_key` has a password."""

    ca: Path
    foreign_ca: Path
    broker: Path
    client: Path
    client_key: Path
    locked_key: Path
    password: str


def make_certificates(folder: Path, client: str, password: str) -> Certificates:
    """Return a broker's certificate for `localhost` and one for the client of this name."""
    if shutil.which("openssl") is None:
        pytest.skip("certificates are made with openssl; there is none here")
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificates(
        ca=folder / "ca.pem",
        foreign_ca=folder / "foreign.pem",
        broker=folder / "broker.pem",
        client=folder / "client.pem",
        client_key=folder / "client.key",
        locked_key=folder / "locked.key",
        password=password,
    )
    _authority(made.ca)
    _authority(made.foreign_ca)
    broker_key = folder / "broker.key"
    _sign(made.ca, "localhost", made.broker, broker_key, ["subjectAltName=DNS:localhost"])
    # Kafka reads key and certificates from one file.
    made.broker.write_bytes(broker_key.read_bytes() + made.broker.read_bytes())
    _sign(made.ca, client, made.client, made.client_key, ["extendedKeyUsage=clientAuth"])
    _openssl(
        *["pkcs8", "-topk8", "-in", str(made.client_key), "-out", str(made.locked_key)],
        *["-v2", "aes-256-cbc", "-passout", f"pass:{password}"],
    )
    return made


def _authority(file: Path) -> None:
    key = file.with_suffix(".key")
    _openssl(*_request(f"CA {file.stem}", file, key))


def _sign(ca: Path, name: str, file: Path, key: Path, extensions: list[str]) -> None:
    further = [part for each in extensions for part in ("-addext", each)]
    signed = ["-CA", str(ca), "-CAkey", str(ca.with_suffix(".key"))]
    leaf = ["-addext", "basicConstraints=critical,CA:FALSE"]
    _openssl(*_request(name, file, key), *signed, *leaf, *further)


def _request(name: str, file: Path, key: Path) -> list[str]:
    files = ["-keyout", str(key), "-out", str(file)]
    return ["req", "-x509", *_CURVE, "-nodes", "-days", _DAYS, "-subj", f"/CN={name}", *files]


def _openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
