"""Typed reading of YAML nodes: every getter returns a sound value, or None and a problem.

Reading goes on after a problem, so that one load names everything that is wrong.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import yaml

from streams.core.suggestions import near
from streams.core.yaml_file.durations import UNITS_MS, durations, spoken
from streams.core.yaml_file.problems import Problems
from streams.core.yaml_file.scalars import as_number, described, number_advice

MAX_ID_CHARS = 64
_ID = re.compile(r"[a-z][a-z0-9_]*")


def line_of(node: yaml.Node) -> int:
    """Return the 1-based line a node begins in."""
    return int(node.start_mark.line) + 1


@dataclass(frozen=True, slots=True)
class TypedNode:
    """A node with its path and 1-based line, and the list to which its problems go."""

    node: yaml.Node
    path: str
    problems: Problems
    line: int

    @property
    def is_null(self) -> bool:
        """Whether nothing, `null` or `~` is written here."""
        return bool(self.node.tag.endswith(":null"))

    @property
    def is_text(self) -> bool:
        """Whether a text is written here, not a number, a date, a list or a mapping."""
        return bool(self.node.tag.endswith(":str"))

    @property
    def is_bool(self) -> bool:
        """Whether true or false is written here, or yes, no, on or off, as YAML 1.1 has it."""
        return bool(self.node.tag.endswith(":bool"))

    @property
    def is_mapping(self) -> bool:
        """Whether this is a mapping, `key: value` lines."""
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        """Whether this is a list."""
        return isinstance(self.node, yaml.SequenceNode)

    def wrong(self, what: str) -> None:
        """Keep a problem of this place."""
        self.problems.add(self.line, self.path, what)

    def section(self, keys: Iterable[str]) -> Section | None:
        """Return the mapping here, of which only `keys` are known."""
        entries = self.entries()
        if entries is None:
            return None
        known = tuple(keys)
        for key, place in entries.items():
            if key not in known:
                hint = near(key, known) or f"; known here: {', '.join(known)}"
                self.problems.add(place.line, place.path, f"unknown key `{key}`{hint}")
        return Section(self, {key: place for key, place in entries.items() if key in known})

    def entries(self) -> dict[str, TypedNode] | None:
        """Return the mapping here with any keys, in the order of the file."""
        if not isinstance(self.node, yaml.MappingNode):
            self._not("a mapping (`key: value` lines)")
            return None
        entries: dict[str, TypedNode] = {}
        for key_node, value in self.node.value:
            line = line_of(key_node)
            if self.node.flow_style and _is_split_number(key_node, value):
                self.problems.add(
                    line,
                    self.path,
                    f"`{key_node.value}` after a comma; a decimal number has a point, as in 1.5",
                )
                continue
            key = TypedNode(key_node, self.path, self.problems, line).text()
            if key is None:
                continue
            path = f"{self.path}.{key}" if self.path else key
            if key in entries:
                first = entries[key].line
                self.problems.add(line, path, f"`{key}` is here twice (first in line {first})")
            else:
                entries[key] = TypedNode(value, path, self.problems, line)
        return entries

    def items(self) -> list[TypedNode] | None:
        """Return the entries of the list here."""
        if not isinstance(self.node, yaml.SequenceNode):
            self._not("a list")
            return None
        return [
            TypedNode(child, f"{self.path}[{number}]", self.problems, line_of(child))
            for number, child in enumerate(self.node.value)
        ]

    def text(self, max_chars: int = 500) -> str | None:
        """Return the text here, of 1 to `max_chars` characters."""
        if not isinstance(self.node, yaml.ScalarNode):
            self._not("a text")
            return None
        if not self.node.tag.endswith(":str"):
            self._not("a text", "; put it in quotes" if self.node.value else "")
            return None
        value = str(self.node.value).strip()
        if not value:
            self.wrong("the text is empty")
            return None
        if len(value) > max_chars:
            self.wrong(f"the text has {len(value)} characters, the limit is {max_chars}")
            return None
        return value

    def scalar(self) -> str | None:
        """Return the text of this node as written, None for a list or a mapping."""
        return str(self.node.value) if isinstance(self.node, yaml.ScalarNode) else None

    def identifier(self) -> str | None:
        """Return the id here: small letters, digits and _, a letter first."""
        value = self.text()
        return value if value is not None and self.is_id(value) else None

    def is_id(self, value: str) -> bool:
        """Whether `value` is fit to be an id; when not, that is a problem of this place."""
        if len(value) > MAX_ID_CHARS:
            self.wrong(f"an id has at most {MAX_ID_CHARS} characters, `{value}` has {len(value)}")
        elif not _ID.fullmatch(value):
            self.wrong(f"`{value}` is no id; use small letters, digits and _, a letter first")
        else:
            return True
        return False

    def word(self, known: Sequence[str], noun: str) -> str | None:
        """Return the word here, one of `known` (a `noun` for people)."""
        known_here = f"; known: {', '.join(known)}" if known else ""
        if self.is_bool and self.scalar() not in known:
            # Quotes would not help: YAML 1.1 takes yes, no, on and off for true and false.
            self._not(f"the name of a {noun}", known_here)
            return None
        value = self.text()
        if value is None or value in known:
            return value
        hint = near(value, known) or known_here
        self.wrong(f"unknown {noun} `{value}`{hint}")
        return None

    def words(self, known: Sequence[str], noun: str) -> tuple[str, ...] | None:
        """Return the list of words here, each one of `known` and none twice."""
        items = self.items()
        if items is None:
            return None
        found: dict[str, None] = {}
        for item in items:
            word = item.word(known, noun)
            if word is not None and word in found:
                item.wrong(f"`{word}` is in this list twice")
            elif word is not None:
                found[word] = None
        return tuple(found)

    def number(self, low: float, high: float) -> float | None:
        """Return the number here, in [low, high]."""
        if not isinstance(self.node, yaml.ScalarNode):
            self._not("a number")
            return None
        text = str(self.node.value)
        value = as_number(text)
        if value is None:
            advice = number_advice(text)
            self._not("a number", f"; {advice}" if advice else "")
            return None
        if self.node.style is not None:
            self.wrong(f'"{text}" in quotes is a text; remove the quotes')
            return None
        if not low <= value <= high:
            self.wrong(f"{text} is out of range; it must be from {low:g} to {high:g}")
            return None
        return value

    def whole(self, low: int, high: int) -> int | None:
        """Return the whole number here, in [low, high]."""
        value = self.number(low, high)
        if value is not None and value != int(value):
            self.wrong(f"{value:g} is not a whole number")
            return None
        return None if value is None else int(value)

    def flag(self) -> bool | None:
        """Return the true or false here."""
        if isinstance(self.node, yaml.ScalarNode) and self.node.tag.endswith(":bool"):
            return str(self.node.value).lower() in ("true", "yes", "on")
        self._not("true or false")
        return None

    def _not(self, expected: str, advice: str = "") -> None:
        self.wrong(f"{described(self.node)} where {expected} belongs{advice}")


def _is_split_number(key: yaml.Node, value: yaml.Node) -> bool:
    """Whether an entry is what a decimal comma split off: `{weight: 1,5}` has a key 5, no value."""
    if not isinstance(key, yaml.ScalarNode) or not key.tag.endswith((":int", ":float")):
        return False
    return bool(value.tag.endswith(":null") and not value.value)


@dataclass(frozen=True, slots=True)
class Section:
    """The known entries of a mapping."""

    place: TypedNode
    entries: dict[str, TypedNode]

    def get(self, key: str) -> TypedNode | None:
        """Return the node under `key`, or None."""
        return self.entries.get(key)

    def need(self, key: str, example: str) -> TypedNode | None:
        """Return the node under `key`; a missing one is a problem."""
        place = self.entries.get(key)
        if place is None:
            self.place.wrong(f"`{key}` is missing; add for example `{key}: {example}`")
        return place

    def number(self, key: str, low: float, high: float, default: float) -> float:
        """Return a number in [low, high], `default` when absent or wrong."""
        place = self.entries.get(key)
        value = place.number(low, high) if place else None
        return default if value is None else value

    def flag(self, key: str, default: bool) -> bool:
        """Return a true or false, `default` when absent or wrong."""
        place = self.entries.get(key)
        value = place.flag() if place else None
        return default if value is None else value

    def duration_ms(
        self, stem: str, low_ms: int, high_ms: int, default_ms: int | None = None
    ) -> int | None:
        """Return the duration under one of `durations(stem)`, `default_ms` when there is none."""
        found = [
            (key, unit)
            for key, unit in zip(durations(stem), UNITS_MS, strict=True)
            if key in self.entries
        ]
        if not found:
            return default_ms
        key, unit = found[0]
        for other, _ in found[1:]:
            self.entries[other].wrong(f"`{key}` already says how long; keep one of the two")
        number = self.entries[key].number(0.0, math.inf)
        if number is None:
            return default_ms
        if not low_ms <= number * UNITS_MS[unit] <= high_ms:
            self.entries[key].wrong(
                f"{number:g} is out of range; it must be from {spoken(low_ms)} to {spoken(high_ms)}"
            )
            return default_ms
        return round(number * UNITS_MS[unit])
