"""How one YAML scalar is read, and how a node is named in a message."""

from __future__ import annotations

import re

import yaml

# YAML 1.1 also knows octal, sexagesimal and infinite numbers; a catalogue has plain ones only.
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9_]*)(\.[0-9]*)?([eE][-+]?[0-9]{1,3})?")


def as_number(text: str) -> float | None:
    """Return a plain decimal number, or None for anything else.

    >>> as_number("1_000.5"), as_number("010"), as_number(".inf")
    (1000.5, None, None)
    """
    return float(text.replace("_", "")) if _NUMBER.fullmatch(text) else None


def described(node: yaml.Node) -> str:
    """Return what is written at a node, for people: "a list", "text (`maybe`)"."""
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    kind = node.tag.rpartition(":")[2]
    names = {"bool": "yes/no", "null": "nothing", "timestamp": "a date", "str": "text"}
    name = names.get(kind, "a number")
    shown = str(node.value)
    return f"{name} (`{shown[:40]}`)" if shown and kind != "null" else name
