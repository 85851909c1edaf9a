"""Open a data file: say what it is by its first bytes, unpack it, decode it."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import cramjam

FORMATS = ("csv", "jsonl", "json", "avro", "parquet")
_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".avro": "avro",
    ".parquet": "parquet",
}
_PACKED_SUFFIXES = (".gz", ".bz2", ".xz", ".zst", ".zip")
_BY_FIRST_BYTES = {b"PAR1": "parquet", b"Obj\x01": "avro"}
# Kinds of files that are met in exports and cannot be read, by their first bytes.
_UNREADABLE = {
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV",
    b"7z\xbc\xaf": "packed by 7-Zip; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
    b"%PDF": "a PDF; it holds no rows",
    b"SQLite format": "a SQLite database; export the table as CSV",
    b"LZIP": "packed by lzip; unpack it first",
    b"\x04\x22\x4d\x18": "packed by lz4; unpack it first",
}
_FIRST_BYTES = 16
_ENCODING_HINT = "state the file's encoding, e.g. --encoding latin-1"
# A line longer than this is no row; without a limit a wrong file would be read into memory whole.
MAX_LINE_CHARS = 16 * 1024 * 1024


class DataFileError(ValueError):
    """A data file or a query that cannot be used at all: nothing was read, nothing sent."""


@dataclass(frozen=True)
class ReadOptions:
    """How to read a file. None means: by the file's name and first bytes.

    Without a stated `encoding` a file is UTF-8 (UTF-16 with a byte order mark), and a line that
    is not makes the file unusable. With a stated one such a line is rejected alone.
    `quote` "" means that quotes are ordinary characters. `skip_lines` come before the header.
    """

    format: str | None = None
    delimiter: str | None = None
    quote: str = '"'
    encoding: str | None = None
    skip_lines: int = 0
    header: bool = True


def format_of(path: Path, options: ReadOptions) -> str:
    """Return the format of a file: stated, or by its first bytes, or by its name."""
    if options.format is not None:
        return options.format
    with opened(path) as plain:
        first = plain.read(4)
    if first in _BY_FIRST_BYTES:
        return _BY_FIRST_BYTES[first]
    suffixes = [suffix for suffix in path.suffixes if suffix not in _PACKED_SUFFIXES]
    if suffixes and suffixes[-1].lower() in _SUFFIXES:
        return _SUFFIXES[suffixes[-1].lower()]
    raise DataFileError(
        f"{path}: its name does not tell the format; state --format, one of {', '.join(FORMATS)}"
    )


def is_packed(path: Path) -> bool:
    """Say whether a file is compressed, by its first bytes."""
    with path.open("rb") as raw:
        return _unpacker(raw.read(_FIRST_BYTES)) is not None


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Give the unpacked bytes of a file; DataFileError when they cannot be read."""
    with ExitStack() as stack:
        try:
            raw = stack.enter_context(path.open("rb"))
            first = raw.read(_FIRST_BYTES)
            raw.seek(0)
            for magic, what in _UNREADABLE.items():
                if first.startswith(magic):
                    raise DataFileError(f"{path}: this is {what}")
            unpack = _unpacker(first)
            yield raw if unpack is None else stack.enter_context(unpack(raw, path))
        except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
            raise DataFileError(f"{path}: cannot be read: {error}") from error
        except cramjam.DecompressionError as error:
            raise DataFileError(f"{path}: cannot be unpacked: {error}") from error


def _unpacker(first: bytes) -> Callable[[IO[bytes], Path], IO[bytes]] | None:
    if first.startswith(b"\x1f\x8b"):
        return lambda raw, _: _binary(gzip.GzipFile(fileobj=raw))
    if first.startswith(b"BZh"):
        return lambda raw, _: _binary(bz2.BZ2File(raw))
    if first.startswith(b"\xfd7zXZ"):
        return lambda raw, _: _binary(lzma.LZMAFile(raw))
    if first.startswith(b"\x28\xb5\x2f\xfd"):
        return lambda _, path: _unpacked_zstd(path)
    if first.startswith(b"PK"):
        return _only_member
    return None


def _binary(file: Any) -> IO[bytes]:
    found: IO[bytes] = file
    return found


def _unpacked_zstd(path: Path) -> IO[bytes]:
    """Unpack to a temporary file: cramjam streams from file to file only."""
    unpacked = tempfile.NamedTemporaryFile(prefix="concierge-")  # noqa: SIM115 -- given away
    cramjam.zstd.decompress_into(cramjam.File(str(path)), cramjam.File(unpacked.name))
    return _binary(unpacked)


def _only_member(raw: IO[bytes], path: Path) -> IO[bytes]:
    archive = zipfile.ZipFile(raw)
    members = [member for member in archive.infolist() if not member.is_dir()]
    if any(member.filename == "[Content_Types].xml" for member in members):
        raise DataFileError(f"{path}: this is an Excel workbook; save the sheet as CSV (UTF-8)")
    if len(members) != 1:
        raise DataFileError(f"{path}: a zip of {len(members)} files; unpack it and name one")
    return archive.open(members[0])


def text_lines(path: Path, options: ReadOptions) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file with their numbers from 1, line ends as they are.

    A byte that the encoding does not know becomes a lone surrogate (`undecodable` finds it).
    """
    with opened(path) as plain:
        encoding = _encoding_of(plain, path, options)
        text = io.TextIOWrapper(plain, encoding=encoding, errors="surrogateescape", newline="")
        number = 0
        while True:
            number += 1
            try:
                line = text.readline(MAX_LINE_CHARS + 1)
            except UnicodeError as error:
                raise DataFileError(f"{path}:{number}: {_ENCODING_HINT}: {error}") from error
            if not line:
                return
            if len(line) > MAX_LINE_CHARS:
                raise DataFileError(f"{path}:{number}: longer than {MAX_LINE_CHARS:,} characters")
            yield number, line


def undecodable(line: str, options: ReadOptions) -> str | None:
    """Say which byte of a line is not of the encoding, or None."""
    try:
        line.encode("utf-8")
    except UnicodeEncodeError as error:
        byte = ord(line[error.start]) & 0xFF
        return f"the byte 0x{byte:02x} is not {options.encoding or 'UTF-8'}; {_ENCODING_HINT}"
    return None


def _encoding_of(plain: IO[bytes], path: Path, options: ReadOptions) -> str:
    first = plain.read(4)
    plain.seek(0)
    if options.encoding is not None:
        try:
            name = codecs.lookup(options.encoding).name
        except LookupError:
            raise DataFileError(f"`{options.encoding}` is no encoding that is known") from None
        return "utf-8-sig" if name == "utf-8" else name
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in first:
        raise DataFileError(
            f"{path}: begins with a zero byte; if it is UTF-16 without a byte order mark, "
            "state --encoding utf-16-le (or utf-16-be)"
        )
    return "utf-8-sig"
