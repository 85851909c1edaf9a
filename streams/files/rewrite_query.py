"""Change a user's query by its syntax tree, as DuckDB gives it in JSON.

Two changes, each for one kind of silent fault: a text that names a zone is no wall time (a plain
cast to TIMESTAMP drops the zone), and a cell that cannot be read makes its row a rejected one (a
plain cast fails the whole query).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from streams.files.open_file import DataFileError
from streams.files.sql_macros import FORGIVING
from streams.files.syntax_tree import nodes

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Tree = dict[str, Any]
_WALL_TIMES = {"TIMESTAMP", "DATETIME", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"}


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


def groups_in(tree: Tree, aggregates: frozenset[str]) -> bool:
    """Say whether a SELECT of the tree makes one row of several; `aggregates` are functions."""
    return any(
        _groups(node)
        or (node.get("class") == "FUNCTION" and node["function_name"].lower() in aggregates)
        for node in nodes(tree, subqueries=False)
    )


def _groups(node: Mapping[str, Any]) -> bool:
    return node.get("type") == "SELECT_NODE" and (
        bool(node.get("group_expressions")) or node.get("aggregate_handling") == "FORCE_AGGREGATES"
    )


def _changed(node: Any, change: Any) -> Any:
    if isinstance(node, list):
        return [_changed(inner, change) for inner in node]
    if not isinstance(node, dict):
        return node
    return change({key: _changed(inner, change) for key, inner in node.items()})


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
