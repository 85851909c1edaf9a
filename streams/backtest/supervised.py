"""A plain supervised log: one outcome and no actions, with a map or without."""

from __future__ import annotations

from typing import Any

from streams.core.catalogue_yaml.durations import durations
from streams.demo.mapping_file import Document, parse_document

# What a log without actions has no use for.
_OF_ACTIONS = ("action", "family", "probability", "money", "value", "cost")


def target_document(document: Document | None, column: str) -> Document:
    """Return the map of a supervised log whose outcome is `column` ("": the map's own).

    Without a document every other column is a feature.
    """
    if document is None:
        document = parse_document("--target", "features: {all_but: []}")
    table: dict[str, Any] = dict(document.table(document.value, ""))
    fields = dict(document.table(table.get("fields") or {}, "fields"))
    dropped: tuple[str, ...] = _OF_ACTIONS
    if not column and not {"outcome", "outcome_time"} & fields.keys():
        # Money is then what tells an outcome.
        dropped = tuple(name for name in _OF_ACTIONS if name != "money")
    for name in dropped:
        fields.pop(name, None)
    if column:
        fields.pop("outcome_time", None)
        fields["outcome"] = {"column": column}
        for name in durations("repeat_within"):
            table.pop(name, None)
    table["fields"] = fields
    for name in ("control", "target_policy", "exploration"):
        table.pop(name, None)
    return Document(document.name, table, document.lines)
