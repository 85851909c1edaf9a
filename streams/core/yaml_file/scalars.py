"""How one YAML scalar is read, and how a node is named in a message."""

from __future__ import annotations

import re
from decimal import Decimal

import yaml

# YAML 1.1 also knows octal, sexagesimal and infinite numbers; a catalogue has plain ones only.
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9_]*)(\.[0-9]*)?([eE][-+]?[0-9]{1,3})?")


def as_number(text: str) -> float | None:
    """Return a plain decimal number, or None for anything else.

    >>> as_number("1_000.5"), as_number("010"), as_number(".inf")
    (1000.5, None, None)
    """
    return float(text.replace("_", "")) if _NUMBER.fullmatch(text) else None


_COMMA = re.compile(r"[-+]?\d+,\d+")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_PERCENT = re.compile(r"([-+]?\d+(?:[.,]\d+)?)\s*%")
_WITH_UNIT = re.compile(r"[^\d\s.,+-]*\s*([-+]?\d+(?:\.\d+)?)\s*[^\d\s.,]*")


def number_advice(text: str) -> str:
    """Return how to write what was probably meant by a text that is no number, or nothing.

    >>> number_advice("3,50"), number_advice("5%")
    ('a decimal number has a point; write 3.50', 'write 0.05 for 5%')
    """
    text = text.strip()
    if percent := _PERCENT.fullmatch(text):
        share = Decimal(percent[1].replace(",", ".")) / 100
        return f"write {share.normalize():f} for {text}"
    if _THOUSANDS.fullmatch(text):
        whole = text.replace(",", "")
        if text.count(",") > 1 or "." in text:
            return f"write {whole} without commas"
        return f"write {whole}, or {text.replace(',', '.')} if the comma is a decimal point"
    if _COMMA.fullmatch(text):
        return f"a decimal number has a point; write {text.replace(',', '.')}"
    if number := _WITH_UNIT.fullmatch(text):
        plain = as_number(number[1])
        return f"write the number alone, {number[1]}" if plain is not None else ""
    return ""


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
