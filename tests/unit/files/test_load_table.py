"""Reading data files: every line is a row or is rejected with its number; ids stay as they are."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from pathlib import Path
from typing import Any

import cramjam
import fastavro
import pytest

from streams.files.open_file import DataFileError, ReadOptions
from streams.files.query import run_query
from streams.files.tables import open_tables
from tests.support.files import VISITS, read, rejected, rows_of, written


def test_a_byte_order_mark_before_a_quoted_header_is_no_part_of_a_name(tmp_path: Path) -> None:
    text = '\ufeff"id","customer","at"\n"e1","ada","2024-03-01T10:00:00Z"\n'
    assert read(written(tmp_path / "v.csv", text)) == [(2, "e1", "ada", "2024-03-01T10:00:00Z")]


@pytest.mark.parametrize(
    "text",
    [
        "# ---\n# Events\n# 20240301-20240331\n# ---\n\n" + VISITS,
        "sep=;\n" + VISITS.replace(",", ";"),
        VISITS.replace("at\n", "at,,\n").replace("Z\n", "Z,,\n"),
        VISITS.replace("at\n", "at,x,x\n").replace("Z\n", "Z,1,2\n"),
        VISITS.replace(",", "\t"),
        VISITS.replace("\n", "\r\n"),
        VISITS.replace("at\n", "at\r\n") + "\r\n\n",
    ],
    ids=["comments", "sep", "nameless", "repeated", "tabs", "crlf", "mixed line ends"],
)
def test_preambles_delimiters_and_unused_columns_do_not_matter(tmp_path: Path, text: str) -> None:
    found = read(written(tmp_path / "v.csv", text), 'SELECT id, customer, "at" FROM data')
    assert found == [("e1", "ada", "2024-03-01T10:00:00Z")]


def test_lines_before_the_header_that_are_no_comments_are_skipped_when_stated(
    tmp_path: Path,
) -> None:
    path = written(tmp_path / "v.csv", "Report, all\n2024\n" + VISITS)
    assert read(path, "SELECT row, id FROM data", skip_lines=2) == [(4, "e1")]


def test_an_unclosed_quote_rejects_its_line_and_no_other(tmp_path: Path) -> None:
    path = written(
        tmp_path / "v.csv", 'id,title\ne1,plain\ne2,"19 inch rack\ne3,plain\ne4,"two\nlines"\n'
    )
    with open_tables([path]) as tables:
        assert rows_of(run_query(tables, "SELECT row, id FROM data", "q.sql")) == [
            (2, "e1"),
            (4, "e3"),
            (5, "e4"),
        ]
        ((row, reason),) = rejected(tables)
        assert row == 3
        assert "quote" in reason


def test_quotes_are_characters_and_names_are_missing_where_that_is_stated(tmp_path: Path) -> None:
    path = written(tmp_path / "v.csv", 'e1,"19 inch\ne2,5" pipe\n')
    assert read(path, quote="", header=False) == [(1, "e1", '"19 inch'), (2, "e2", '5" pipe')]
    with open_tables([path], ReadOptions(header=False)) as tables:
        result = run_query(tables, "SELECT column0, column1 FROM data", "q.sql")
        assert rows_of(result) == [("e2", '5" pipe')]
        assert [row for row, _ in rejected(tables)] == [1]


def test_lines_with_another_number_of_cells_are_rejected_with_their_numbers(
    tmp_path: Path,
) -> None:
    path = written(tmp_path / "v.csv", 'id,note\n1,"two\nlines"\n\n2\n3,a,b\n4,a,\n')
    with open_tables([path]) as tables:
        assert (tables.row_count, tables.rejected_count) == (2, 2)
        assert rejected(tables) == [
            (5, "1 cells where the header has 2"),
            (6, "3 cells where the header has 2"),
        ]


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("v.csv.gz", gzip.compress),
        ("v.csv.bz2", bz2.compress),
        ("v.csv.xz", lzma.compress),
        ("v.csv.zst", lambda data: bytes(cramjam.zstd.compress(data))),
        ("v.csv", gzip.compress),
    ],
)
def test_compression_is_told_by_the_first_bytes(tmp_path: Path, name: str, pack: Any) -> None:
    path = written(tmp_path / name, pack(VISITS.encode()))
    assert read(path, "SELECT id FROM data") == [("e1",)]


def test_a_zip_of_one_file_is_read_and_other_archives_are_named(tmp_path: Path) -> None:
    one, workbook = tmp_path / "v.csv.zip", tmp_path / "book.csv"
    with zipfile.ZipFile(one, "w") as archive:
        archive.writestr("v.csv", VISITS)
    with zipfile.ZipFile(workbook, "w") as archive:
        archive.writestr("[Content_Types].xml", "")
    assert read(one, "SELECT id FROM data") == [("e1",)]
    with pytest.raises(DataFileError, match="Excel workbook; save the sheet as CSV"):
        read(workbook)
    with pytest.raises(DataFileError, match="packed by 7-Zip; unpack it first"):
        read(written(tmp_path / "v2.csv", b"7z\xbc\xaf\x27\x1c...."))
    with pytest.raises(DataFileError, match="cannot be read"):
        read(written(tmp_path / "cut.csv", gzip.compress(VISITS.encode() * 100)[:-20]))


def test_a_file_in_another_encoding_is_refused_with_line_and_setting(tmp_path: Path) -> None:
    path = written(tmp_path / "v.csv", "id,city\n1,Bonn\n2,Köln\n".encode("latin-1"))
    with pytest.raises(DataFileError, match=r"v\.csv:3: the byte 0xf6 .* --encoding latin-1"):
        read(path)
    assert read(path, "SELECT city FROM data", encoding="latin-1") == [("Bonn",), ("Köln",)]
    utf16 = written(tmp_path / "w.csv", VISITS.encode("utf-16"))
    assert read(utf16, "SELECT id FROM data") == [("e1",)]
    unmarked = written(tmp_path / "x.csv", VISITS.encode("utf-16-le"))
    with pytest.raises(DataFileError, match="--encoding utf-16-le"):
        read(unmarked)


def test_a_line_that_is_not_of_the_stated_encoding_is_rejected_alone(tmp_path: Path) -> None:
    path = written(tmp_path / "v.csv", b"id,city\n1,Bonn\n2,K\xf6ln\n3,Trier\n")
    with open_tables([path], ReadOptions(encoding="utf-8")) as tables:
        assert (tables.row_count, [row for row, _ in rejected(tables)]) == (2, [3])


def test_ids_keep_their_zeros_and_digits_in_csv_json_and_avro(tmp_path: Path) -> None:
    long = "123456789012345678901234567890"
    csv = written(tmp_path / "v.csv", f"id,n\n00123,{long}\n")
    json = written(tmp_path / "v.jsonl", f'{{"id": "00123", "n": {long}}}\n')
    avro = tmp_path / "v.avro"
    schema = {"type": "record", "name": "V", "fields": [{"name": "id", "type": "string"}]}
    with avro.open("wb") as file:
        fastavro.writer(file, schema, [{"id": "00123"}])
    assert read(csv) == [(2, "00123", long)]
    assert read(json) == [(1, "00123", long)]
    assert read(avro) == [(1, "00123")]


def test_lines_that_are_no_json_objects_are_rejected_and_the_others_read(tmp_path: Path) -> None:
    text = '{"id":"e1"}\n\n{"id":"ada\\ud83d"}\n[1]\nno\n{"id":"e2","n":' + "9" * 5000 + "}\n"
    with open_tables([written(tmp_path / "v.jsonl", text)]) as tables:
        assert rejected(tables) == [
            (3, "no valid JSON"),
            (4, "a JSON value that is no object"),
            (5, "no valid JSON"),
        ]
        result = run_query(tables, "SELECT row, id, n::BIGINT AS n FROM data", "q.sql")
        assert rows_of(result) == [(1, "e1", None)]
        assert list(result.unreadable) == [6]


def test_a_nested_path_is_followed_and_a_misspelt_one_is_an_error(tmp_path: Path) -> None:
    text = '{"id":"m1","properties":{"product_id":"cup","tags":[{"t":1}]}}\n{"id":"m2"}\n'
    path = written(tmp_path / "v.jsonl", text)
    sql = "SELECT properties.product_id, properties.tags[1].t FROM data"
    assert read(path, sql) == [("cup", "1"), (None, None)]
    with pytest.raises(DataFileError, match="product_idd"):
        read(path, "SELECT properties.product_idd FROM data")
    with pytest.raises(DataFileError, match=r'"custmer" not found(.|\n)*v\.jsonl.* row, id, prop'):
        read(path, "SELECT custmer FROM data")


def test_a_json_array_is_read_and_one_that_is_broken_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "v.json", '[{"id": "e1"},\n {"id": "e2", "n": 1.50}]')
    assert read(path) == [(1, "e1", None), (2, "e2", "1.5")]
    with pytest.raises(DataFileError, match="Malformed JSON"):
        read(written(tmp_path / "w.json", '[{"id": "e1"},\n {"id": '))


def test_several_files_are_one_table_and_a_row_names_its_file(tmp_path: Path) -> None:
    a = written(tmp_path / "a.csv", "id,n\n1,2\n")
    b = written(tmp_path / "b.csv", "n,id\n3,4\nx\n")
    with open_tables([a, b]) as tables:
        found = rows_of(run_query(tables, "SELECT row, id, n FROM data", "q.sql"))
        assert found == [(2, "1", "2"), (4, "4", "3")]
        assert [tables.place(row) for row, *_ in found] == ["a.csv:2", "b.csv:2"]
        assert [tables.place(row) for row, _ in rejected(tables)] == ["b.csv:3"]
    other = written(tmp_path / "c.csv", "id,m\n1,2\n")
    with (
        pytest.raises(DataFileError, match=r"c\.csv: has no column n, which a\.csv has"),
        open_tables([a, other]),
    ):
        pass


def test_without_a_header_no_line_is_a_comment(tmp_path: Path) -> None:
    path = written(tmp_path / "shop.csv", "#1001,a\n#1002,b\n1003,c\n")
    assert read(path, header=False) == [(1, "#1001", "a"), (2, "#1002", "b"), (3, "1003", "c")]


@pytest.mark.parametrize(
    ("text", "sql", "expected", "comments"),
    [
        ("#id,b\n1,x\n#2,y\n", 'SELECT "#id", b FROM data', [("1", "x"), ("#2", "y")], 0),
        ("# by Ada\n#id,b\n1,x\n", 'SELECT row, "#id" FROM data', [(3, "1")], 1),
        ("# a\n\n# b\nid,b\n1,x\n", "SELECT row, id FROM data", [(5, "1")], 2),
        ("#id;b\n", 'SELECT "#id", b FROM data', [], 0),
    ],
)
def test_a_line_with_a_hash_is_a_comment_only_where_it_cannot_be_the_header(
    tmp_path: Path, text: str, sql: str, expected: list[tuple[object, ...]], comments: int
) -> None:
    path = written(tmp_path / "v.csv", text)
    with open_tables([path]) as tables:
        assert rows_of(run_query(tables, sql, "q.sql")) == expected
        assert (tables.comment_count, tables.rejected_count) == (comments, 0)
