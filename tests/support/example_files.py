"""The examples beside the schemas: values each topic accepts, and values it refuses and why.

`examples/<topic>/accepted/*.json` holds a value; `examples/<topic>/rejected/*.json` holds a
`RejectedExample`. A file that is not one of these is an error that names the file and the place
in it, so that a misspelt key cannot pass for a test.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from schemas.reasons import REASONS
from schemas.wire import encode_event
from tests.support.checkout import ROOT

_T = TypeVar("_T")

EXAMPLES = ROOT / "schemas" / "examples"

# JSON has no such numbers; rejected examples spell them.
_NOT_FINITE = {"NaN", "Infinity", "-Infinity"}


class RejectedExample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A refused record: its reason code, why so in words, and its value or its raw bytes.

    Exactly one of `value` (encoded with the current schema; "NaN" and "Infinity" stand for the
    numbers) and `payload_hex` (null for a record without a value) is given.
    """

    reason: str
    because: str
    value: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    payload_hex: str | msgspec.UnsetType | None = msgspec.UNSET


def accepted_examples(topic: str, root: Path = EXAMPLES) -> dict[str, dict[str, Any]]:
    """Return the topic's accepted values by file name; ValueError for a wrong file."""
    return {
        path.name: _parse(path, dict[str, Any])
        for path in sorted((root / topic / "accepted").glob("*"))
    }


def rejected_examples(topic: str, root: Path = EXAMPLES) -> dict[str, RejectedExample]:
    """Return the topic's rejected examples by file name; ValueError for a wrong file."""
    return {
        path.name: _checked(path, _parse(path, RejectedExample))
        for path in sorted((root / topic / "rejected").glob("*"))
    }


def payload_of(topic: str, example: RejectedExample) -> bytes | None:
    """Return the bytes of the record's value."""
    if isinstance(example.value, dict):
        return encode_event(topic, _spelled_out(example.value))
    return bytes.fromhex(example.payload_hex) if isinstance(example.payload_hex, str) else None


def _parse(path: Path, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except msgspec.DecodeError as error:
        raise ValueError(f"{path}: {error}") from error


def _checked(path: Path, example: RejectedExample) -> RejectedExample:
    if example.reason not in REASONS:
        raise ValueError(f"{path}: $.reason: {example.reason!r} is not in schemas/reasons.py")
    if (example.value is msgspec.UNSET) == (example.payload_hex is msgspec.UNSET):
        raise ValueError(f"{path}: $: give one of value and payload_hex")
    return example


def _spelled_out(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _spelled_out(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_spelled_out(part) for part in value]
    return float(value) if isinstance(value, str) and value in _NOT_FINITE else value
