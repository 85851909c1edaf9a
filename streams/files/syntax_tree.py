"""The parts of a query's syntax tree, and which selected column is the `row` of `data`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Tree = Mapping[str, Any]
ROW = "row"
# `row` is at a place that cannot be compared.
UNKNOWN = -1
_LISTS = {"list", "array_agg"}


class UnclearError(ValueError):
    """The query has a part of which `row` may not tell all."""


def place_of_row(items: list[Tree], source: Tree, *, grouped: bool) -> int:
    """Return the place of `row`, which must be that of `data`, among what is selected."""
    tables = _names_of_data(source)
    places = [place for place, item in enumerate(items) if _gives_row(item, tables, grouped)]
    named = [place for place, item in enumerate(items) if name_of(item) == ROW]
    if len(places) != 1 or any(place not in places for place in named):
        raise UnclearError("`row` is not selected, or it is not that of `data`")
    before = items[: places[0]]
    if any(unnests(item) for item in before):
        raise UnclearError("unnest() before `row`")
    stars = any(item["class"] == "STAR" for item in items[: places[0] + 1])
    plain = source["type"] == "BASE_TABLE" and not places[0]
    return places[0] if plain or not stars else UNKNOWN


def _gives_row(item: Tree, tables: set[str], grouped: bool) -> bool:
    if grouped:
        return (
            item["class"] == "FUNCTION"
            and item["function_name"].lower() in _LISTS
            and item["alias"].lower() == ROW
            and not item.get("filter")
            and len(item["arguments"]) == 1
            and _is_row(item["arguments"][0]["expression"], tables)
        )
    if item["class"] == "STAR":
        named = item.get("relation_name", "").lower()
        return (not named or named in tables) and ROW not in strings(item.get("exclude_list"))
    return _is_row(item, tables) and item["alias"].lower() in ("", ROW)


def _is_row(item: Tree, tables: set[str]) -> bool:
    if item["class"] != "COLUMN_REF":
        return False
    *table, column = (str(name).lower() for name in item["column_names"])
    return column == ROW and (not table or (len(table) == 1 and table[0] in tables))


def _names_of_data(source: Tree) -> set[str]:
    """Return the names of the leftmost table, which is the one that reads `data`."""
    while source["type"] == "JOIN":
        source = source["left"]
    return {str(source.get("alias") or source.get("table_name") or "").lower()}


def name_of(item: Tree) -> str:
    """Return the name of a selected column; "" where the database makes one up."""
    names = item.get("column_names") or [""]
    return str(item.get("alias") or names[-1]).lower()


def unnests(item: Any) -> bool:
    """Say whether an expression makes several results of one."""
    return any(
        node.get("class") == "FUNCTION" and node["function_name"].lower() == "unnest"
        for node in nodes(item, subqueries=False)
    )


def strings(item: Any) -> set[str]:
    """Return all texts in a part of the tree, in small letters."""
    if isinstance(item, dict):
        return set[str]().union(*map(strings, item.values()), *map(strings, item))
    if isinstance(item, list):
        return set[str]().union(*map(strings, item))
    return {item.lower()} if isinstance(item, str) else set()


def nodes(node: Any, *, subqueries: bool = True) -> Iterator[Tree]:
    """Yield the parts of a part; without those of subqueries of expressions, if so stated."""
    if isinstance(node, dict):
        yield node
        hidden = node.get("class") == "SUBQUERY" and not subqueries
        for part in [node.get("child")] if hidden else node.values():
            yield from nodes(part, subqueries=subqueries)
    elif isinstance(node, list):
        for part in node:
            yield from nodes(part, subqueries=subqueries)
