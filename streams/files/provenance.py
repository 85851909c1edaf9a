"""Say whether `row` tells all that an unreadable cell is part of, by the tree of a query.

Everything that is not known to be safe is refused: a cell that cannot be read is NULL when the
query runs again, and that NULL must reach no result but those whose `row` names its row. Safe are
queries whose results are made of one row each, or of the rows of one group each: one reading of
`data` (or a UNION ALL of such), joined with further tables, with at most one GROUP BY. Columns
whose values may come from an unreadable cell are followed by name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from streams.files.expressions import ANY, Expressions, Rows, Scope, check_free, reads
from streams.files.syntax_tree import (
    ROW,
    UNKNOWN,
    Tree,
    UnclearError,
    name_of,
    place_of_row,
    strings,
    unnests,
)
from streams.files.tables import DATA

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def may_lose_rows(connection: DuckDBPyConnection, tree: Tree) -> bool:
    """Say whether an unreadable cell may take its row out of a group; UnclearError when unsafe."""
    found = _Query(connection).node(tree["statements"][0]["node"], {})
    if found is None:
        raise UnclearError("`data` is not read")
    return found.grouped and found.may_lose


class _Query(Expressions):
    """Follows the parts of one query. None is a part that does not read `data`."""

    def node(self, node: Tree, scope: Scope) -> Rows | None:
        """Follow a SELECT or a union."""
        inner = dict(scope)
        for cte in (node.get("cte_map") or {}).get("map") or ():
            query = cte["value"]["query_node"]
            found = self.node(query, inner)
            if found is not None and cte["value"].get("aliases"):
                raise UnclearError("WITH renames columns")
            inner[cte["key"].lower()] = found
        if not reads(node, inner):
            check_free(node)
            return None
        if node["type"] == "SELECT_NODE":
            made = self._select(node, inner)
        elif node["type"] == "SET_OPERATION_NODE":
            made = self._union(node, inner)
        else:
            raise UnclearError(str(node["type"]))
        for modifier in node.get("modifiers") or ():
            if modifier["type"] == "DISTINCT_MODIFIER" and not modifier["distinct_on_targets"]:
                continue
            if modifier["type"] != "ORDER_MODIFIER":
                raise UnclearError(str(modifier["type"]))
            if self.orders_by(modifier, made) and not made.grouped:
                # Numbers by this order would come from the unreadable cell.
                made = replace(made, may_lose=True)
        return made

    def _union(self, node: Tree, scope: Scope) -> Rows:
        named = node["setop_type"] == "UNION_BY_NAME"
        if not (named or node["setop_type"] == "UNION") or not node["setop_all"]:
            raise UnclearError("a set operation other than UNION ALL")
        found = [self.node(child, scope) for child in node["children"]]
        parts = [part for part in found if part is not None]
        if len(parts) < len(found) or len({part.grouped for part in parts}) > 1:
            raise UnclearError("a union of unlike parts")
        if not named and (len({part.place for part in parts}) > 1 or parts[0].place < 0):
            raise UnclearError("a union with `row` at several places")
        tainted = any(part.tainted for part in parts)
        return Rows(
            parts[0].grouped,
            frozenset({ANY} if tainted else ()),
            any(part.may_lose for part in parts),
            fans_out=True,
            place=UNKNOWN if named else parts[0].place,
        )

    def _select(self, node: Tree, scope: Scope) -> Rows:
        source = self._source(node["from_table"], scope)
        if source is None:
            raise UnclearError("`data` in a subquery of an expression")
        if node.get("qualify") or node.get("sample"):
            raise UnclearError("QUALIFY or a sample")
        if where := node.get("where_clause"):
            source = self._filtered(source, self.expression(where, scope, source))
        items = node["select_list"]
        forced = node["aggregate_handling"] == "FORCE_AGGREGATES"
        grouped = forced or bool(node["group_expressions"]) or bool(node.get("having"))
        grouped = grouped or any(self.aggregated(item) for item in items)
        if grouped and source.grouped:
            raise UnclearError("two GROUP BYs")
        if grouped and source.may_lose and source.fans_out:
            raise UnclearError("a row that an unreadable cell may take out of some groups")
        place = place_of_row(items, node["from_table"], grouped=grouped)
        tainted = set[str]()
        for item in items:
            tainted |= self._item(item, scope, source, grouped=grouped)
        if unnested := [item for item in items if unnests(item)]:
            lost = any(self.tainted(item, source) for item in unnested)
            source = replace(self._filtered(source, lost), fans_out=True)
        if grouped:
            self._check_keys(node, scope, source, tainted)
        if having := node.get("having"):
            self.expression(having, scope, source, aggregate=True)
        return replace(
            source,
            grouped=grouped or source.grouped,
            tainted=frozenset(tainted),
            place=place,
        )

    def _check_keys(self, node: Tree, scope: Scope, source: Rows, tainted: set[str]) -> None:
        """Refuse a GROUP BY of what may be unreadable: the row would go to another group."""
        keys = list(node["group_expressions"])
        items = node["select_list"]
        if node["aggregate_handling"] == "FORCE_AGGREGATES":
            keys += [item for item in items if not self.aggregated(item)]
        for key in keys:
            of_item = name_of(key) in tainted or key["class"] == "CONSTANT"
            if of_item and key["class"] == "CONSTANT":
                place = str(key["literal"].get("text", ""))
                item = items[int(place) - 1] if place.isdigit() else key
                of_item = self.tainted(item, source)
            if of_item or self.expression(key, scope, source):
                raise UnclearError("a GROUP BY of a value that cannot be read")

    def _item(self, item: Tree, scope: Scope, source: Rows, *, grouped: bool) -> set[str]:
        """Return the names of a selected column where it may come from an unreadable cell."""
        if item["class"] == "STAR":
            if item.get("rename_list") or item.get("expr") or item.get("columns"):
                raise UnclearError("columns are chosen or renamed by a star")
            if grouped:
                raise UnclearError("a star in a query with GROUP BY")
            # `REPLACE` gives names other values.
            replaced = item.get("replace_list") or []
            if ROW in strings(replaced):
                raise UnclearError("a star replaces `row`")
            other = self.expression(replaced, scope, source)
            return {*source.tainted, *({ANY} if other else ())}
        if not self.expression(item, scope, source, aggregate=grouped):
            return set()
        return {name_of(item) or ANY}

    def _source(self, table: Tree, scope: Scope) -> Rows | None:
        """Follow what FROM names."""
        kind = table["type"]
        if kind == "EMPTY" or not reads(table, scope):
            check_free(table)
            return None
        if table.get("sample") or table.get("column_name_alias"):
            raise UnclearError("a sample, or columns that are renamed")
        if kind == "BASE_TABLE":
            name = table["table_name"].lower()
            if name in scope:
                return scope[name]
            if name != DATA:
                raise UnclearError(f"the table `{name}`")
            return Rows()
        if kind == "SUBQUERY":
            return self.node(table["subquery"]["node"], scope)
        if kind == "JOIN":
            return self._joined(table, scope)
        raise UnclearError(str(kind))

    def _joined(self, join: Tree, scope: Scope) -> Rows:
        left = self._source(join["left"], scope)
        right = self._source(join["right"], scope)
        if left is None or right is not None:
            raise UnclearError("`data` is joined from the right side, or with itself")
        if join["join_type"] not in ("INNER", "LEFT", "SEMI", "ANTI"):
            raise UnclearError(f"a {join['join_type']} JOIN")
        if join["ref_type"] not in ("REGULAR", "CROSS", "ASOF", "DEPENDENT"):
            raise UnclearError(f"a {join['ref_type']} JOIN")
        named = {str(name).lower() for name in join["using_columns"]}
        bad = bool(named & left.tainted) or (ANY in left.tainted and bool(named))
        bad = self.expression(join.get("condition"), scope, left) or bad
        bad = self.tainted(join["right"], left) or bad
        found = self._filtered(left, bad)
        # What is joined by such a value comes from the cell as well.
        return replace(found, fans_out=True, tainted=found.tainted | ({ANY} if bad else set()))

    @staticmethod
    def _filtered(source: Rows, tainted: bool) -> Rows:
        return replace(source, may_lose=source.may_lose or (tainted and not source.grouped))
