"""Compile the parts of a mapping file: where a field's value comes from, and conditions on rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

from streams.demo.mapping_file import Document, unknown
from streams.demo.verbs import TIME_FORMATS, VERBS, Row, apply_verb, number_of

# The number of the row in its file, as a column of its own.
ROW_COLUMN = "row"
_SOURCES = ("column", "constant", "template", "cases")
_FIELD_KEYS = (*_SOURCES, "else", "steps")
_TESTS = ("equals", "one_of", "starts_with", "above", "below", "empty")

Value = Callable[[Row], Any]
Condition = Callable[[Row], bool]


def compile_value(document: Document, node: Any, path: str, zone: ZoneInfo) -> Value:
    """Return the function of a row that a field's entry describes."""
    if not isinstance(node, dict):
        document.fail(path, "expected one of column, constant, template or cases, then steps")
    table = document.table(node, path, _FIELD_KEYS)
    sources = [name for name in _SOURCES if name in table]
    if len(sources) != 1:
        document.fail(path, "give exactly one of " + ", ".join(_SOURCES))
    source = _compile_source(document, sources[0], table, path, zone)
    if "else" in table and sources[0] != "cases":
        document.fail(f"{path}.else", "`else` belongs to `cases`")
    entries = document.items(table.get("steps", []), f"{path}.steps")
    steps = [
        _compile_step(document, step, f"{path}.steps.{number}")
        for number, step in enumerate(entries)
    ]

    def value(row: Row) -> Any:
        result = source(row)
        for verb, argument in steps:
            result = apply_verb(verb, result, argument, row, zone)
        return result

    return value


def compile_condition(document: Document, node: Any, path: str) -> Condition:
    """Return the test of a row that a `when` or `keep` entry describes."""
    table = document.table(node, path, ("column", *_TESTS))
    column = document.column(table.get("column"), f"{path}.column")
    tests = [name for name in _TESTS if name in table]
    if len(tests) != 1:
        document.fail(path, "give exactly one test: " + ", ".join(_TESTS))
    wanted = table[tests[0]]
    if tests[0] in ("above", "below"):
        bound = _number(document, wanted, f"{path}.{tests[0]}")
        if tests[0] == "above":
            return lambda row: row.get(column) is not None and number_of(row[column]) > bound
        return lambda row: row.get(column) is not None and number_of(row[column]) < bound
    if tests[0] == "empty":
        return lambda row: (row.get(column) is None) is bool(wanted)
    if tests[0] == "starts_with":
        start = document.text(wanted, f"{path}.starts_with")
        return lambda row: str(row.get(column) or "").startswith(start)
    choices = document.items(wanted, f"{path}.one_of") if tests[0] == "one_of" else [wanted]
    texts = frozenset(map(str, choices))
    return lambda row: row.get(column) is not None and str(row[column]) in texts


def _compile_source(
    document: Document, source: str, table: Mapping[str, Any], path: str, zone: ZoneInfo
) -> Value:
    entry, below = table[source], f"{path}.{source}"
    if source == "constant":
        return lambda row: entry
    if source == "column":
        column = document.column(entry, below)
        return lambda row: row.get(column)
    if source == "template":
        return _compile_template(document, document.text(entry, below), below)
    cases = []
    for number, case in enumerate(document.items(entry, below)):
        at = f"{below}.{number}"
        case = document.table(case, at, ("when", "then"))
        if "then" not in case:
            document.fail(at, "a case needs `when` and `then`")
        cases.append((compile_condition(document, case.get("when"), f"{at}.when"), case["then"]))
    otherwise = table.get("else")

    def chosen(row: Row) -> Any:
        return next((then for holds, then in cases if holds(row)), otherwise)

    return chosen


def _compile_template(document: Document, template: str, path: str) -> Value:
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        document.fail(path, f"not a template: {error}")
    for _, column, form, conversion in parts:
        if column is not None and (not column or form or conversion):
            document.fail(path, "write {column}, with nothing but a column's name in the braces")
        if column is not None:
            document.column(column, path)

    def filled(row: Row) -> str | None:
        text = ""
        for literal, column, _, _ in parts:
            text += literal
            if column is not None:
                if row.get(column) is None:
                    return None
                text += str(row[column])
        return text

    return filled


def _compile_step(document: Document, step: Any, path: str) -> tuple[str, Any]:
    name: Any = step
    argument: Any = None
    if isinstance(step, dict):
        if len(step) != 1:
            document.fail(path, "a step is one verb, alone or as `verb: argument`")
        ((name, argument),) = step.items()
    if name not in VERBS:
        document.fail(path, unknown(str(name), tuple(VERBS)))
    wants = VERBS[name].argument
    if bool(wants) != isinstance(step, dict):
        document.fail(path, f"`{name}` takes {f'a {wants} as its argument' if wants else 'none'}")
    if wants == "number":
        _number(document, argument, path)
    elif wants == "column":
        document.column(argument, path)
    elif wants == "time":
        form = document.text(argument, path)
        if form not in TIME_FORMATS and "%" not in form:
            document.fail(path, unknown(form, (*TIME_FORMATS, "a form such as %Y-%m-%d")))
    elif wants == "table":
        argument = {str(key): value for key, value in _table_of(document, argument, path).items()}
    return name, argument


def _number(document: Document, value: Any, path: str) -> Any:
    try:
        return number_of(value)
    except ValueError as error:
        document.fail(path, str(error))


def _table_of(document: Document, value: Any, path: str) -> dict[Any, Any]:
    """Return a map's table; unlike keys of the file, its keys may be numbers."""
    if not isinstance(value, dict):
        document.fail(path, "expected a table of `value: new value` lines")
    return value
