"""Columns of a feed's query: values keep their meaning, and what does not fit is told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.files.open_file import DataFileError
from tests.support.feeds import fed
from tests.support.files import written
from tests.unit.feed.test_file_feed import SHOP, VIEWS, sql_of


def test_ids_that_a_spreadsheet_cut_are_rejected_with_advice(tmp_path: Path) -> None:
    path = written(
        tmp_path / "visits.csv",
        "id,customer,at\n1,1.23457E+11,2024-03-01T10:00:00Z\n2,1.23457E+11,2024-03-01T10:01:00Z\n"
        "3,12346.0,2024-03-01T10:02:00Z\n4,1_000,2024-03-01T10:03:00Z\n"
        "5,\uff11\uff12,2024-03-01T10:03:00Z\n6,00123,2024-03-01T10:04:00Z\n",
    )
    found = fed(path, clickstream=VIEWS.replace("customer AS", "digits_id(customer) AS"))
    assert [event["customer_id"] for event in found.events] == ["12346", "00123"]
    assert [bad.place for bad in found.rejected] == [f"visits.csv:{n}" for n in (2, 3, 5, 6)]
    assert "export the column as text: 1.23457E+11" in found.rejected[0].reason


def test_a_number_of_floating_point_finds_its_whole_number_in_a_joined_file(
    tmp_path: Path,
) -> None:
    duckdb = pytest.importorskip("duckdb")
    visits, products = tmp_path / "visits.parquet", tmp_path / "products.parquet"
    duckdb.sql(
        "SELECT * FROM (VALUES ('e1', 11.0::DOUBLE), ('e2', NULL), ('e3', 12.0)) t(id, product)"
    ).write_parquet(str(visits))
    duckdb.sql(
        "SELECT * FROM (VALUES (11, 'tea'), (12, 'garden')) t(product, family)"
    ).write_parquet(str(products))
    sql = """
        SELECT row, id AS event_id, 'ada' AS customer_id, 1709287200000 + row AS occurred_at,
            'view' AS kind, family
        FROM data LEFT JOIN products USING (product)
    """
    found = fed(visits, further={"products": products}, clickstream=sql)
    assert [event.get("family") for event in found.events] == ["tea", None, "garden"]


def test_names_in_other_scripts_become_ids_of_their_own(tmp_path: Path) -> None:
    rows = "".join(
        f"e{n},ada,2024-03-01T10:0{n}:00Z,{name}\n"
        for n, name in enumerate(("Küche", "Чай", "食品", "Kuche"))
    )
    path = written(tmp_path / "v.csv", "id,customer,at,category\n" + rows)
    sql = VIEWS.replace("'view' AS kind", "'view' AS kind, slug(category) AS family")
    named = [event["family"] for event in fed(path, clickstream=sql).events]
    assert named == ["küche", "чай", "食品", "kuche"]


def test_the_zone_that_a_time_names_is_used(tmp_path: Path) -> None:
    path = written(
        tmp_path / "v.csv",
        "id,customer,at\ne1,ada,2024-07-01 10:00:00 UTC\ne2,ada,2024-07-01 10:00:00 GMT\n"
        "e3,ada,2024-07-01 10:00:00 Nowhere\n",
    )
    found = fed(path, clickstream=VIEWS.replace("'UTC'", "'Europe/Berlin'"))
    assert [event["occurred_at"] for event in found.events] == [1719828000000] * 2
    assert [bad.place for bad in found.rejected] == ["v.csv:4"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("customer AS customer_id", "customer AS custmer_id"), "did you mean `customer_id`"),
        (("id AS event_id, customer AS customer_id,", ""), "needs `customer_id`"),
        (("'view' AS kind", "'view' AS kind, id AS customer_id"), "selects `customer_id` twice"),
        (("instant(\"at\", 'UTC')", '"at"'), "`occurred_at` is VARCHAR; write a time with a zone"),
        (("instant(\"at\", 'UTC')", '"at"::TIMESTAMP'), "is TIMESTAMP; write a time with a zone"),
        (("'view' AS kind", "'view' AS kind, '9' AS price_minor"), "minor_units"),
        (("'view' AS kind", "'view' AS kind, 9.5 AS price_minor"), "write a whole number"),
        (("customer AS customer_id", "1.5::DOUBLE AS customer_id"), "is DOUBLE; write a text"),
    ],
)
def test_columns_that_do_not_fit_the_topic_are_told_before_anything_is_sent(
    tmp_path: Path, change: tuple[str, str], told: str
) -> None:
    path = written(tmp_path / "v.csv", "id,customer,at\ne1,ada,2024-03-01T10:00:00Z\n")
    sql = VIEWS.replace(*change)
    assert sql != VIEWS
    with pytest.raises(DataFileError, match=r"clickstream\.sql: .*" + told):
        fed(path, clickstream=sql)


def test_members_of_order_lines_are_checked_like_fields(tmp_path: Path) -> None:
    path = written(tmp_path / "s.csv", SHOP)
    sql = sql_of("online_retail")
    with pytest.raises(DataFileError, match=r"`quantty` is no field of OrderLine; .*quantity"):
        fed(path, purchases=sql.replace("'quantity'", "'quantty'"))
    with pytest.raises(DataFileError, match=r"`lines`\.quantity is VARCHAR; write a number"):
        fed(path, purchases=sql.replace("abs(Quantity::DOUBLE)", "Quantity"))
