"""Read a mapping file: YAML, with the line of every value kept for error messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Never

import yaml

# A mapping says a few dozen things; this stops a data file that was named by mistake.
MAX_FILE_BYTES = 256 * 1024


class MappingError(ValueError):
    """A mapping file that cannot be used: `file:line path: what is wrong`."""


@dataclass(frozen=True)
class Document:
    """A parsed file: its value, and the 1-based line of every path such as `fields.kind`.

    `columns` collects the columns of the data file that are named anywhere.
    """

    name: str
    value: Any
    lines: Mapping[str, int]
    columns: set[str] = field(default_factory=set)

    def fail(self, path: str, what: str) -> Never:
        """Raise MappingError for the value at `path`, or for its nearest parent that has a line."""
        near = path
        while near and near not in self.lines:
            near = near.rpartition(".")[0]
        place = f"{self.name}:{self.lines.get(near, 1)}"
        raise MappingError(f"{place} {path}: {what}" if path else f"{place}: {what}")

    def table(self, value: Any, path: str, allowed: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return `value` as a mapping with text keys; with `allowed`, no other key may stand."""
        if not isinstance(value, dict):
            self.fail(path, f"expected a mapping of `key: value` lines, found {shown(value)}")
        for key in value:
            if not isinstance(key, str):
                self.fail(path, f"the key {key!r} is no text; put it in quotes")
            if allowed and key not in allowed:
                self.fail(_below(path, key), unknown(key, allowed))
        return value

    def text(self, value: Any, path: str) -> str:
        """Return `value` as a text that is not empty."""
        if not isinstance(value, str) or not value:
            self.fail(path, f"expected a text, found {shown(value)}")
        return value

    def column(self, value: Any, path: str) -> str:
        """Return `value` as the name of a column, and remember that it is needed."""
        name = self.text(value, path)
        self.columns.add(name)
        return name

    def items(self, value: Any, path: str) -> list[Any]:
        """Return `value` as a list."""
        if not isinstance(value, list):
            self.fail(path, f"expected a list, found {shown(value)}")
        return value


def shown(value: Any) -> str:
    """Return a value as an error message shows it, cut to a line."""
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def unknown(name: str, known: tuple[str, ...]) -> str:
    """Say that a name is not known, and which one was perhaps meant."""
    near = get_close_matches(name, known, 1)
    meant = f"did you mean `{near[0]}`?" if near else "it is one of " + ", ".join(known)
    return f"`{name}` is not known; {meant}"


def read_document(path: Path) -> Document:
    """Return the document in a file; MappingError when it is no YAML mapping."""
    try:
        data = path.read_bytes()
        text = data[: MAX_FILE_BYTES + 1].decode("utf-8")
    except OSError as error:
        raise MappingError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise MappingError(f"{path}: byte {error.start} is not UTF-8") from error
    if len(data) > MAX_FILE_BYTES:
        raise MappingError(f"{path}: larger than {MAX_FILE_BYTES} bytes; is it a mapping file?")
    return parse_document(str(path), text)


def parse_document(name: str, text: str) -> Document:
    """Return the document in a text; MappingError when it is no YAML mapping."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise MappingError(f"{name}:{line}: not readable as YAML: {error.problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise MappingError(f"{name}: not readable as YAML: {error}") from error
    lines: dict[str, int] = {}
    if root is not None:
        _note_lines(root, "", lines)
    document = Document(name, value, lines)
    document.table(value, "")
    return document


def _note_lines(node: yaml.Node, path: str, lines: dict[str, int]) -> None:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            below = _below(path, str(key.value))
            _note_lines(child, below, lines)
            lines[below] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for number, child in enumerate(node.value):
            _note_lines(child, _below(path, str(number)), lines)


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
