"""The expressions of a query: which are known, and which may come from an unreadable cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from streams.files.sql_macros import FORGIVING
from streams.files.syntax_tree import ROW, Tree, UnclearError, nodes
from streams.files.tables import DATA

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# The name that means every column.
ANY = "*"
_TABLE_FUNCTIONS = {"unnest", "range", "generate_series", "json_each", "json_tree"}
_SAFE_MACROS = {"date_add", "fdiv", "if", "json", "nullif", "split_part", "days_in_month"}
_SAFE_CLASSES = {
    *("CASE", "CAST", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "BETWEEN", "TYPE"),
    *("FUNCTION", "LAMBDA", "LAMBDA_REF", "OPERATOR", "COLLATE"),
}
# What is no constant.
_VARYING = {"COLUMN_REF", "LAMBDA_REF", "STAR", "SUBQUERY", "FUNCTION", "WINDOW"}


@dataclass(frozen=True)
class Rows:
    """What a part of a query makes of `data`: `grouped`, or one result of one row.

    `tainted` are columns that may come from an unreadable cell. `may_lose`: such a cell may take
    its row away. `fans_out`: a row may be in several results. `place` is where `row` is.
    """

    grouped: bool = False
    tainted: frozenset[str] = frozenset()
    may_lose: bool = False
    fans_out: bool = False
    place: int = 0


def aggregates(connection: DuckDBPyConnection) -> frozenset[str]:
    """Return the names of the functions that make one value of several rows."""
    return _names(connection, "aggregate")


def _names(connection: DuckDBPyConnection, kind: str) -> frozenset[str]:
    sql = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = ?"
    return frozenset(str(name) for (name,) in connection.execute(sql, [kind]).fetchall())


Scope = Mapping[str, Rows | None]


class Expressions:
    """Checks expressions against what is known to be safe."""

    def __init__(self, connection: DuckDBPyConnection) -> None:
        self._aggregates = aggregates(connection)
        own = {name for safe in FORGIVING.items() for name in safe}
        macros = {m for m in _names(connection, "macro") if m.startswith(("list_", "array_"))}
        known = _names(connection, "scalar") | macros | _SAFE_MACROS | own | {"unnest"}
        self._scalars = known - self._aggregates

    def aggregated(self, item: Any) -> bool:
        """Say whether an expression makes one value of several rows."""
        return any(
            node.get("class") == "FUNCTION" and node["function_name"].lower() in self._aggregates
            for node in nodes(item, subqueries=False)
        )

    def expression(self, item: Any, scope: Scope, source: Rows, *, aggregate: bool = False) -> bool:
        """Say whether an expression may come from an unreadable cell; UnclearError when unsafe."""
        if reads(item, scope):
            raise UnclearError("`data` in a subquery of an expression")
        for node in nodes(item, subqueries=False):
            kind = node.get("class")
            if kind == "WINDOW":
                if self.tainted(node, source) or source.may_lose or source.grouped or aggregate:
                    raise UnclearError("a window over what may be unreadable")
            elif kind == "SUBQUERY":
                check_free(node)
            elif kind == "FUNCTION":
                name = node["function_name"].lower()
                if name not in self._scalars and not (aggregate and name in self._aggregates):
                    raise UnclearError(f"the function {name}")
            elif kind is not None and kind not in _SAFE_CLASSES:
                raise UnclearError(str(kind))
        return self.tainted(item, source)

    @staticmethod
    def tainted(item: Any, source: Rows) -> bool:
        """Say whether an expression may come from an unreadable cell."""
        for node in nodes(item):
            if node.get("class") == "CAST" and not node.get("try_cast"):
                text = node["type_expr"].get("type_name") == "VARCHAR"
                if not text and any(n.get("class") in _VARYING for n in nodes(node["child"])):
                    return True
            elif node.get("class") == "FUNCTION" and node["function_name"].lower() in FORGIVING:
                return True
            elif node.get("class") == "COLUMN_REF":
                names = {str(name).lower() for name in node["column_names"]}
                if ANY in source.tainted or names & source.tainted:
                    return True
        return False

    def orders_by(self, modifier: Tree, source: Rows) -> bool:
        """Say whether an order may depend on an unreadable cell; `ORDER BY ALL` is a star."""
        orders = modifier["orders"]
        return self.tainted(orders, source) or any(n.get("class") == "STAR" for n in nodes(orders))


def reads(node: Any, scope: Scope) -> bool:
    """Say whether a part reads `data`, also by the name of a part before it."""
    for inner in nodes(node):
        if inner.get("type") == "BASE_TABLE":
            name = inner["table_name"].lower()
            if name == DATA or name.startswith("_") or scope.get(name) is not None:
                return True
    return False


def check_free(node: Any) -> None:
    """Refuse what may read `data` in a way that does not show, or has a `row` of its own."""
    for inner in nodes(node):
        kind = inner.get("type")
        if kind == "TABLE_FUNCTION" and inner["function"]["function_name"] not in _TABLE_FUNCTIONS:
            raise UnclearError(f"the table function {inner['function']['function_name']}")
        if kind in ("SHOW_REF", "PIVOT", "DELIM_GET", "COLUMN_DATA"):
            raise UnclearError(str(kind))
        names = [inner.get("alias") or "", *(inner.get("column_name_alias") or ())]
        if ROW in map(str.lower, names):
            raise UnclearError("another column is called `row`")
