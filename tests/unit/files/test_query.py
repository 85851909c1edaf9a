"""Queries over data files: a bad cell rejects its row alone, and times keep their zone."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.files.open_file import DataFileError
from streams.files.query import run_query
from streams.files.tables import open_tables
from tests.support.files import VISITS, rows_of, written


def test_a_cell_that_cannot_be_read_rejects_what_is_made_of_its_row_and_nothing_else(
    tmp_path: Path,
) -> None:
    path = written(tmp_path / "o.csv", "o,qty\n1,2\n1,x\n2,3\n3,\n")
    grouped = "SELECT list(row) AS row, o, list(qty::INT) AS q FROM data GROUP BY o"
    with open_tables([path]) as tables:
        alone = run_query(tables, "SELECT row, qty::INT AS q FROM data", "q.sql")
        assert rows_of(alone) == [(2, 2), (4, 3), (5, None)]
        assert list(alone.unreadable) == [3]
        orders = run_query(tables, grouped, "q.sql")
        assert rows_of(orders) == [([4], "2", [3]), ([5], "3", [None])]
        assert "Could not convert string 'x'" in orders.unreadable[3]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT qty::INT AS q FROM data",
        "SELECT list(row) AS row, o FROM data WHERE qty::INT > 0 GROUP BY o",
        "WITH t AS (SELECT row, o, qty::INT AS q FROM data) "
        "SELECT list(row) AS row, o FROM t WHERE q > 0 GROUP BY o",
        "SELECT min(row) AS row, sum(qty::INT) AS q FROM data GROUP BY o",
        "SELECT row, sum(qty::INT) OVER (ORDER BY row) AS q FROM data",
        "SELECT row, o FROM data WHERE row < (SELECT sum(qty::INT) FROM data)",
    ],
)
def test_where_a_query_cannot_tell_what_a_bad_cell_is_part_of_nothing_is_used(
    tmp_path: Path, sql: str
) -> None:
    path = written(tmp_path / "o.csv", "o,qty\n1,2\n1,x\n2,3\n")
    with open_tables([path]) as tables, pytest.raises(DataFileError, match=r"o\.csv:3: .*'x'"):
        run_query(tables, sql, "q.sql")


def test_a_bad_cell_in_a_group_that_is_left_out_stops_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "o.csv", "o,status,qty\n1,paid,2\n2,refunded,x\n2,,1\n3,paid,y\n")
    grouped = """
        WITH orders AS (
            SELECT list(row) AS row, o, any_value(status) AS status, list(qty::INT) AS q
            FROM data WHERE o IS NOT NULL GROUP BY o
        )
        SELECT row, o, q FROM orders WHERE status = 'paid'
    """
    with open_tables([path]) as tables:
        found = run_query(tables, grouped, "q.sql")
        assert rows_of(found) == [([2], "1", [2])]
        assert list(found.unreadable) == [3, 5]
        # Line 3 and line 5 are spoiled, and line 4 is left out with the order it belongs to.
        assert (found.used_rows, found.spoiled_rows, found.left_out) == (1, 2, 1)


def test_a_zone_in_a_time_is_used_and_never_dropped(tmp_path: Path) -> None:
    path = written(
        tmp_path / "t.csv",
        "at\n2024-07-01 10:00:00 UTC\n2024-07-01 10:00:00\n2024-07-01T10:00:00+0200\n"
        "2024-07-01\n2024-07-01 10:00:00 XYZ\n",
    )
    with open_tables([path]) as tables:
        found = run_query(
            tables, "SELECT row, epoch_ms(instant(\"at\", 'Europe/Berlin')) FROM data", "q.sql"
        )
        assert rows_of(found) == [
            (2, 1719828000000),
            (3, 1719820800000),
            (4, 1719820800000),
            (5, 1719784800000),
        ]
        assert "Unknown TimeZone 'XYZ'" in found.unreadable[6]
        plain = run_query(
            tables, "SELECT row, \"at\"::TIMESTAMP AT TIME ZONE 'UTC' AS t FROM data", "q.sql"
        )
        assert [row for row, _ in rows_of(plain)] == [3, 5]
        assert "names a zone" in plain.unreadable[2]
        tried = run_query(tables, 'SELECT row, TRY_CAST("at" AS TIMESTAMP) AS t FROM data', "q.sql")
        assert [row for row, t in rows_of(tried) if t is None] == [2, 4, 6]


def test_a_further_table_is_joined_by_name_and_must_be_whole(tmp_path: Path) -> None:
    data = written(tmp_path / "v.csv", "id,sku\n1,0011\n2,12\n")
    products = written(tmp_path / "p.csv", "sku,family\n0011,tea\n")
    sql = "SELECT id, family FROM data LEFT JOIN products USING (sku) ORDER BY row"
    with open_tables([data], further={"products": products}) as tables:
        assert rows_of(run_query(tables, sql, "q.sql")) == [("1", "tea"), ("2", None)]
    broken = written(tmp_path / "q.csv", "sku,family\n0011\n")
    with (
        pytest.raises(DataFileError, match=r"q\.csv:2: 1 cells"),
        open_tables([data], further={"products": broken}),
    ):
        pass


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE data",
        "SELECT 1; SELECT 2",
        "SELECT * FROM read_csv('/etc/hostname')",
        "SELECT * FROM glob('/etc/*')",
        "COPY (SELECT 1) TO 'out.csv'",
        "SELECT * FROM 'v.csv'",
    ],
)
def test_a_query_reads_its_tables_and_nothing_else(tmp_path: Path, sql: str) -> None:
    path = written(tmp_path / "v.csv", VISITS)
    with open_tables([path]) as tables, pytest.raises(DataFileError, match=r"^q\.sql: "):
        run_query(tables, sql, "q.sql")


def test_functions_of_texts_take_what_parquet_gives_other_types(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "t.parquet"
    duckdb.sql(
        "SELECT DATE '2024-07-01' AS d, TIMESTAMP '2024-07-01 10:00' AS ts, "
        "TIMESTAMPTZ '2024-07-01 10:00+00' AS tz, 17850.0::DOUBLE AS id, 12::BIGINT AS n, "
        "123456789012.0::DOUBLE AS long"
    ).write_parquet(str(path))
    sql = """
        SELECT row, digits_id(id) AS a, digits_id(n) AS b, slug(n) AS c, minor_units(id) AS d,
            epoch_ms(instant(ts, 'Europe/Berlin')) AS e, epoch_ms(instant(tz, 'UTC')) AS f,
            epoch_ms(d::TIMESTAMP) AS g, epoch_ms(ts::TIMESTAMP) AS h, digits_id(long) AS i
        FROM data
    """
    with open_tables([path]) as tables:
        assert rows_of(run_query(tables, sql, "q.sql")) == [
            (
                *(1, "17850", "12", "12", 1_785_000),
                *(1719820800000, 1719828000000, 1719792000000, 1719828000000, "123456789012"),
            )
        ]


def test_a_row_of_a_good_and_of_a_spoiled_result_counts_as_used(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "id,tags,price\n1,a;b,5\n2,a,x\n3,b,4\n")
    sql = """
        SELECT list(row) AS row, tag, sum(price::DOUBLE) AS s
        FROM (SELECT row, price, unnest(string_split(tags, ';')) AS tag FROM data) GROUP BY tag
    """
    with open_tables([path]) as tables:
        found = run_query(tables, sql, "q.sql")
        assert rows_of(found) == [([2, 4], "b", 9.0)]
        assert (found.used_rows, found.spoiled_rows, found.left_out) == (2, 1, 0)


_EARLIER = "WITH t AS (SELECT row, id, o, parent, price::DOUBLE AS p FROM data) "


@pytest.mark.parametrize(
    "sql",
    [
        _EARLIER + "SELECT row, id, first_value(p) OVER (PARTITION BY o ORDER BY id) AS f FROM t",
        _EARLIER + "SELECT row, lag(p) OVER (ORDER BY id) AS f FROM t",
        _EARLIER + "SELECT row, sum(p) OVER (PARTITION BY o) AS f FROM t",
        _EARLIER + "SELECT row, row_number() OVER (ORDER BY p) AS f FROM t",
        _EARLIER + "SELECT row, row_number() OVER (ORDER BY id) AS f FROM t WHERE p > 0",
        _EARLIER + "SELECT row, row_number() OVER () AS f FROM (FROM t ORDER BY p)",
        _EARLIER + "SELECT row, id FROM t WHERE p IS NOT NULL QUALIFY row_number() OVER () = 1",
        _EARLIER + "SELECT a.row, a.id, b.p FROM t a LEFT JOIN t b ON b.id = a.parent",
        "SELECT b.row, b.id, a.price::DOUBLE AS pp FROM data b LEFT JOIN data a ON a.id = b.parent",
        "SELECT b.row, b.id, a.p FROM data b, (SELECT id, price::DOUBLE AS p FROM data) a",
        "SELECT row, id FROM data WHERE price::DOUBLE IN (SELECT price::DOUBLE FROM data)",
        "SELECT name, row FROM kinds k LEFT JOIN data ON k.id = price::DOUBLE",
        "SELECT DISTINCT ON (o) row, o, price::DOUBLE AS p FROM data ORDER BY o, row",
        "SELECT row, price::DOUBLE AS p FROM data ORDER BY p LIMIT 2",
        "SELECT max(row) AS row, sum(price::DOUBLE) AS p FROM data",
        "SELECT row + 1 AS row, price::DOUBLE AS p FROM data",
        "SELECT id::INT AS row, price::DOUBLE AS p FROM data",
        "SELECT row, p FROM (SELECT row, price::DOUBLE AS p FROM data) AS t(p, row)",
        "SELECT list(row) AS row, price::DOUBLE AS p FROM data GROUP BY ALL",
        "SELECT list(row) AS row, price::DOUBLE AS p FROM data GROUP BY 2",
        _EARLIER + "SELECT list(row) AS row, p FROM t GROUP BY p",
        "SELECT list(row) FILTER (WHERE id > '1') AS row, sum(price::DOUBLE) AS p FROM data",
        "SELECT row, price::DOUBLE AS p FROM data UNION SELECT row, 1 FROM data",
        "SELECT row, price::DOUBLE AS p FROM query_table(['data'])",
        "SELECT row, weighted_avg(price::DOUBLE, 1) AS p FROM data GROUP BY row",
    ],
)
def test_a_query_through_which_a_bad_cell_may_reach_other_rows_is_refused(
    tmp_path: Path, sql: str
) -> None:
    text = "id,o,parent,price\n1,A,,x\n2,A,1,5\n3,B,2,4\n4,B,3,5\n"
    path = written(tmp_path / "o.csv", text)
    kinds = written(tmp_path / "k.csv", "id,name\n5,tea\n6,pot\n")
    with (
        open_tables([path], further={"kinds": kinds}) as tables,
        pytest.raises(DataFileError, match=r"o\.csv:2\b.*'x'.*nothing was used"),
    ):
        run_query(tables, sql, "q.sql")


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT *, price::DOUBLE AS p FROM data", {3, 4, 5}),
        ("SELECT data.* EXCLUDE (o), price::DOUBLE AS p FROM data", {3, 4, 5}),
        (_EARLIER + "SELECT * FROM t WHERE p > 4 ORDER BY p", {3, 5}),
        ("SELECT d.row, name FROM data d LEFT JOIN kinds k ON k.id = price::DOUBLE", {3, 4, 5}),
        ("SELECT row, price::DOUBLE AS p, lag(id) OVER (ORDER BY row) AS i FROM data", {3, 4, 5}),
        (
            "SELECT row, price::DOUBLE AS p, (SELECT max(name) FROM kinds k WHERE k.id = price) "
            "AS n FROM data",
            {3, 4, 5},
        ),
        (
            "SELECT row, id, price::DOUBLE AS p FROM data UNION ALL SELECT row, id, 1 FROM data "
            "ORDER BY ALL",
            {3, 4, 5},
        ),
        (_EARLIER + "FROM t UNION ALL BY NAME SELECT id, row FROM t", {3, 4, 5}),
        ("SELECT DISTINCT row, price::DOUBLE AS p FROM data", {3, 4, 5}),
        ("SELECT row, list_max([price::DOUBLE, 1]) AS p FROM data WHERE true", {3, 4, 5}),
    ],
)
def test_a_query_of_one_row_each_loses_the_bad_row_alone(
    tmp_path: Path, sql: str, rows: set[int]
) -> None:
    path = written(tmp_path / "o.csv", "id,o,parent,price\n1,A,,x\n2,A,,5\n3,B,,4\n4,B,,5\n")
    kinds = written(tmp_path / "k.csv", "id,name\n5,tea\n6,pot\n")
    with open_tables([path], further={"kinds": kinds}) as tables:
        found = run_query(tables, sql, "q.sql")
        place = list(found.types).index("row")
        assert {row[place] for row in rows_of(found)} == rows
        assert list(found.unreadable) == [2]
        assert (found.used_rows, found.left_out) == (len(rows), 3 - len(rows))


def test_one_aggregate_over_all_rows_leaves_no_row_out(tmp_path: Path) -> None:
    path = written(tmp_path / "o.csv", "id,price\n1,4\n2,5\n")
    with open_tables([path]) as tables:
        found = run_query(tables, "SELECT max(row) AS row, count(*) AS n FROM data", "q.sql")
        assert (rows_of(found), found.left_out) == ([(3, 2)], None)
