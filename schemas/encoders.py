"""Outputs as framed Avro, under the ids of a registry or the bundled ones."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.records import Decision, NextBestAction
from schemas.wire import encode_action, encode_decision


class Encoders:
    """Encodes both outputs; `ids` maps schema names to ids."""

    def __init__(self, ids: Mapping[str, int]) -> None:
        self._ids = ids

    def action(self, action: NextBestAction) -> bytes:
        """Return the value of a next-best-actions record."""
        return encode_action(action, self._ids)

    def decision(self, decision: Decision) -> bytes:
        """Return the value of a decisions record."""
        return encode_decision(decision, self._ids)
