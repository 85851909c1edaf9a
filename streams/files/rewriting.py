"""Change a user's query by its syntax tree, as DuckDB gives it in JSON.

Two changes, each for one kind of silent fault: a text that names a zone is no wall time (a plain
cast to TIMESTAMP drops the zone), and a cell that cannot be read makes its row a rejected one (a
plain cast fails the whole query).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from streams.files.macros import FORGIVING
from streams.files.opening import DataFileError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Tree = dict[str, Any]
_WALL_TIMES = {"TIMESTAMP", "DATETIME", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"}
# Window functions through which one row's cell reaches no other row's value but as it stands.
_HARMLESS_WINDOWS = {"first_value", "last_value", "row_number", "rank", "dense_rank"}


def parsed(connection: DuckDBPyConnection, sql: str) -> Tree:
    """Return the tree of one SELECT; DataFileError when it is anything else."""
    found = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    tree: Tree = json.loads(found[0] if found else "{}")
    if tree.get("error", True):
        what = str(tree.get("error_message", "not readable")).split(" LINE ")[0]
        raise DataFileError(f"{what}{_line_of(sql, tree.get('position'))}")
    if len(tree["statements"]) != 1:
        raise DataFileError(f"holds {len(tree['statements'])} statements; write one SELECT")
    return tree


def _line_of(sql: str, position: Any) -> str:
    return f" (line {sql.count(chr(10), 0, int(position)) + 1})" if position is not None else ""


def text_of(connection: DuckDBPyConnection, tree: Tree) -> str:
    """Return the SQL of a tree."""
    found = connection.execute(
        "SELECT json_deserialize_sql(?::JSON)", [json.dumps(tree)]
    ).fetchone()
    return str(found[0] if found else "")


def with_safe_times(tree: Tree) -> Tree:
    """Return the tree with `wall_time` for every plain cast to TIMESTAMP."""
    changed: Tree = _changed(tree, _safe_time)
    return changed


def with_empty_for_unreadable(tree: Tree) -> Tree:
    """Return the tree with NULL for every cast or reading of a text that would fail."""
    changed: Tree = _changed(tree, _tried)
    return changed


def groups_in(tree: Tree) -> int:
    """Return how many SELECTs of the tree make one row of several."""
    return sum(map(_groups, _nodes(tree)))


def mixes_rows(tree: Tree) -> bool:
    """Say whether a row's values may come from other rows in a way that `row` does not tell."""
    for node in _nodes(tree):
        if node.get("class") == "SUBQUERY":
            return True
        if node.get("type") == "SET_OPERATION_NODE" and node.get("setop_type") != "UNION":
            return True
        if node.get("class") == "WINDOW" and (
            node.get("function_name") not in _HARMLESS_WINDOWS
            or any(inner.get("class") == "CAST" for inner in _nodes(node))
        ):
            return True
    return groups_in(tree) > 1


def may_lose_rows(tree: Tree) -> bool:
    """Say whether a cell that is empty, because it cannot be read, may take its row from a group.

    It cannot where everything that reads texts is selected by the grouping query or above it.
    """
    root = tree["statements"][0]["node"]
    grouping = next((node for node in _nodes(tree) if _groups(node)), root)
    harmless = [grouping.get("select_list"), grouping.get("having")]
    if root is not grouping:
        harmless += [root.get(part) for part in ("select_list", "where_clause", "modifiers")]
    return _readings(tree) > sum(map(_readings, harmless))


def _readings(node: Any) -> int:
    return sum(
        (inner.get("class") == "CAST" and not inner.get("try_cast"))
        or (inner.get("class") == "FUNCTION" and inner.get("function_name") in FORGIVING)
        for inner in _nodes(node)
    )


def _groups(node: Tree) -> bool:
    return node.get("type") == "SELECT_NODE" and (
        bool(node.get("group_expressions")) or node.get("aggregate_handling") == "FORCE_AGGREGATES"
    )


def _changed(node: Any, change: Any) -> Any:
    if isinstance(node, list):
        return [_changed(inner, change) for inner in node]
    if not isinstance(node, dict):
        return node
    return change({key: _changed(inner, change) for key, inner in node.items()})


def _nodes(node: Any) -> Iterator[Tree]:
    if isinstance(node, dict):
        yield node
        for inner in node.values():
            yield from _nodes(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _nodes(inner)


def _safe_time(node: Tree) -> Tree:
    if node.get("class") != "CAST" or node["type_expr"].get("type_name") not in _WALL_TIMES:
        return node
    name = "try_wall_time" if node.get("try_cast") else "wall_time"
    argument = [{"name": "", "expression": node["child"]}]
    return {
        "class": "FUNCTION",
        "type": "FUNCTION",
        "alias": node["alias"],
        "function_name": name,
        "schema": "",
        "catalog": "",
        "filter": None,
        "order_bys": {"type": "ORDER_MODIFIER", "orders": []},
        "distinct": False,
        "is_operator": False,
        "export_state": False,
        "arguments": argument,
        "qualified_name": {"path": [name]},
        "is_legacy_function_call": False,
    }


def _tried(node: Tree) -> Tree:
    if node.get("class") == "CAST":
        return {**node, "try_cast": True}
    if node.get("class") == "FUNCTION" and node.get("function_name") in FORGIVING:
        name = FORGIVING[node["function_name"]]
        return {**node, "function_name": name, "qualified_name": {"path": [name]}}
    return node
