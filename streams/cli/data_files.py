"""Options of the commands that read data files by SQL: the format, and further tables to join."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from streams.files.open_file import FORMATS, ReadOptions

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def data_file_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command gets `read` (ReadOptions) and `further` (files by table name).

    Place it below `@click.command` and above the command's own options.
    """

    @wraps(command)
    def called(
        file_format: str | None,
        delimiter: str | None,
        quote: str,
        encoding: str | None,
        skip_lines: int,
        header: bool,
        table: tuple[str, ...],
        **arguments: Any,
    ) -> Any:
        delimiter = "\t" if delimiter == "\\t" else delimiter
        for option, given in (("--delimiter", delimiter), ("--quote", quote)):
            if len(given or "") > 1:
                raise click.BadParameter(f"{option} {given}: must be one character")
        read = ReadOptions(
            format=file_format,
            delimiter=delimiter,
            quote=quote,
            encoding=encoding,
            skip_lines=skip_lines,
            header=header,
        )
        return command(read=read, further=_named(table), **arguments)

    for option in reversed(_OPTIONS):
        called = option(called)
    return called


_OPTIONS = (
    click.option(
        "--table",
        multiple=True,
        metavar="NAME=FILE",
        help="A further file that the SQL may join, by this name. May be given several times.",
    ),
    click.option(
        "--format",
        "file_format",
        type=click.Choice(FORMATS),
        help="Format of the files; default: found from their names and first bytes.",
    ),
    click.option("--delimiter", help="CSV: the separator of cells; default: detected."),
    click.option(
        "--quote", default='"', show_default=True, help="CSV: the quote character; empty for none."
    ),
    click.option("--encoding", help="Encoding such as latin-1; default: UTF-8."),
    click.option(
        "--skip-lines",
        type=click.IntRange(min=0),
        default=0,
        help="CSV: number of lines before the header.",
    ),
    click.option(
        "--header/--no-header",
        default=True,
        help="CSV: whether the first line names the columns; if not: column0, column1 and so on.",
    ),
)


def _named(tables: tuple[str, ...]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for table in tables:
        name, equals, file = table.partition("=")
        if not equals or not name or name in found:
            raise click.BadParameter(f"--table {table}: write each name once, as NAME=FILE")
        if not Path(file).is_file():
            raise click.BadParameter(f"--table {table}: there is no file {file}")
        found[name] = Path(file)
    return found
