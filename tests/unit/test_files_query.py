"""Queries over data files: a bad cell rejects its row alone, and times keep their zone."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.files.opening import DataFileError
from streams.files.query import run_query
from streams.files.tables import open_tables
from tests.files import VISITS, rows_of, written


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
