"""YAML text -> one tree of nodes with line numbers, of bounded size for any text."""

from __future__ import annotations

import hashlib

import yaml

from streams.core.yaml_file.problems import Problems

# A catalogue travels as one Kafka record, whose usual limit is 1 MB.
MAX_TEXT_BYTES = 512 * 1024
# The deepest path of a sound catalogue is 8; this leaves room for mistakes to be named.
MAX_DEPTH = 20
# Counted with every alias spelt out, so that nested aliases cannot multiply without end.
MAX_NODES = 100_000

_PREFIX = "tag:yaml.org,2002:"
_KNOWN_TAGS = frozenset(
    _PREFIX + kind for kind in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp")
)


def canonical(text: str) -> str:
    """Return the text as it is hashed and published: no BOM, LF line ends, no trailing space."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip(" \t") for line in lines).rstrip("\n") + "\n"


def content_version(text: str) -> str:
    """Return the version of a canonical text: 16 hex digits of its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def decoded(data: str | bytes, problems: Problems) -> str:
    """Return `data` as text, or an empty text and a problem when it is not UTF-8."""
    if isinstance(data, str):
        return data
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems.add(
            line,
            "",
            f"byte {error.start} (0x{data[error.start]:02x}) is not UTF-8; save the file as UTF-8",
        )
        return ""


def compose(text: str, problems: Problems) -> yaml.MappingNode | None:
    """Return the root mapping of a YAML text, or None and at least one problem."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_TEXT_BYTES:
        problems.add(1, "", f"the file has {size} bytes, the limit is {MAX_TEXT_BYTES}")
        return None
    try:
        too_deep = _line_too_deep(text)
        if too_deep is not None:
            problems.add(too_deep, "", f"nested more than {MAX_DEPTH} levels deep")
            return None
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        _add_unreadable(error, text, problems)
        return None
    except yaml.MarkedYAMLError as error:
        _add_syntax(error, text, problems)
        return None
    if root is None or (isinstance(root, yaml.ScalarNode) and not root.value):
        problems.add(1, "", "the file is empty; a catalogue needs at least name, families, issues")
        return None
    if not _is_bounded(root, problems):
        return None
    if not isinstance(root, yaml.MappingNode):
        problems.add(root.start_mark.line + 1, "", "a catalogue is a mapping of `key: value` lines")
        return None
    return root


def _add_unreadable(error: yaml.reader.ReaderError, text: str, problems: Problems) -> None:
    line = text.count("\n", 0, error.position) + 1
    code = error.character if isinstance(error.character, int) else ord(error.character)
    problems.add(line, "", f"the character U+{code:04X} is not allowed in YAML; delete it")


def _add_syntax(error: yaml.MarkedYAMLError, text: str, problems: Problems) -> None:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    written = text.split("\n")[line - 1] if line <= text.count("\n") + 1 else ""
    tab = _tab_column(written, mark.column if mark else 0)
    if tab is not None:
        problems.add(
            line, "", f"a tab at column {tab}: YAML takes spaces only; replace it by spaces"
        )
        return
    column = f" at column {mark.column + 1}" if mark else ""
    context = f" ({error.context})" if error.context else ""
    advice = "; a text that has `: ` or begins with { [ * & ! % @ needs quotes"
    problems.add(line, "", f"not readable as YAML{column}: {error.problem}{context}{advice}")


def _tab_column(written: str, column: int) -> int | None:
    """Return the 1-based column of a tab at `column` or in the indentation, None without one."""
    if written[column : column + 1] == "\t":
        return column + 1
    indentation = written[: len(written) - len(written.lstrip())]
    return indentation.index("\t") + 1 if "\t" in indentation else None


def _line_too_deep(text: str) -> int | None:
    """Look before composing, which recurses: return the line of the first node too deep."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                return event.start_mark.line + 1 if event.start_mark else 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return None


def _is_bounded(root: yaml.Node, problems: Problems) -> bool:
    """Measure each node once; anchors come before their aliases, so recursion stays shallow."""
    sizes: dict[int, int] = {}
    unfinished: set[int] = set()

    def size(node: yaml.Node) -> int:
        if id(node) in unfinished:
            problems.add(
                node.start_mark.line + 1, "", "an alias (*) is inside the part that it repeats"
            )
            return 1
        if id(node) not in sizes:
            _check_tag(node, problems)
            unfinished.add(id(node))
            sizes[id(node)] = 1 + sum(size(child) for child in _children(node))
            unfinished.discard(id(node))
        return sizes[id(node)]

    total = size(root)
    if total > MAX_NODES:
        problems.add(1, "", f"{total} values with aliases (*) spelt out, the limit is {MAX_NODES}")
    return problems.error() is None


def _check_tag(node: yaml.Node, problems: Problems) -> None:
    if node.tag in _KNOWN_TAGS:
        return
    tag = node.tag.replace(_PREFIX, "!!")
    what = (
        "merge keys (<<) are not supported; write the keys out"
        if tag == "!!merge"
        else f"the tag {tag} is not supported; remove it"
    )
    problems.add(node.start_mark.line + 1, "", what)


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    return []
