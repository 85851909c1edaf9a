"""SQL functions that every query may use beside DuckDB's own: what exports get wrong most often.

Each takes text. A text that does not fit makes the row a rejected one, with the reason in words;
empty stays empty. deploy/feeds/README.md lists them for users.
"""

from __future__ import annotations

# A zone at the end of a time: Z or an offset after the time of day, or a name after a blank. The
# last two digits of a date alone are no offset.
ZONE_PATTERN = (
    r"(:[0-9.]+\s*(Z|[+-][0-9]{2}(:?[0-9]{2})?)|[0-9]Z|[0-9]\s+[A-Za-z][A-Za-z0-9_+/-]*)$"
)
_OFFSET_AFTER_BLANK = r"\s+([+-][0-9]{2}(:?[0-9]{2})?)$"


def _refused(what: str, text: str, sql_type: str) -> str:
    """Return SQL that fails with words: a cast of the words, which no type can take."""
    return f"CAST({what} || ': ' || {text} AS {sql_type})"


_CUT = "'a spreadsheet cut the digits of this id; export the column as text'"
_ID = (
    "CASE WHEN regexp_full_match(t, '[0-9]+') THEN t "
    "WHEN regexp_full_match(t, '[0-9]+[.]0+') THEN regexp_extract(t, '^[0-9]+') "
    "WHEN regexp_full_match(t, '[0-9]+([.,][0-9]+)?[eE][+]?[0-9]+') "
    f"THEN CAST({_refused(_CUT, 't', 'BIGINT')} AS VARCHAR) "
    f"""ELSE CAST({_refused("'an id of digits is needed'", "t", "BIGINT")} AS VARCHAR) END"""
)

# Wall time of a text; a text that names a zone is none.
_ZONED = "'this time names a zone; read it with instant(text, zone)'"
_WALL = (
    f"CASE WHEN regexp_matches(trim(t), '{ZONE_PATTERN}') "
    f"THEN {_refused(_ZONED, 't', 'TIMESTAMP')} ELSE CAST(t AS TIMESTAMP) END"
)

_INSTANT = (
    f"CASE WHEN regexp_matches(trim(t), '{ZONE_PATTERN}') "
    f"THEN CAST(regexp_replace(trim(t), '{_OFFSET_AFTER_BLANK}', '\\1') AS TIMESTAMPTZ) "
    "ELSE timezone(zone, CAST(t AS TIMESTAMP)) END"
)

_NO_COMMA = _refused("'no number with a decimal comma'", "t", "DECIMAL(18, 6)")
_DECIMAL_COMMA = (
    "CASE WHEN regexp_full_match(trim(t), '[+-]?([0-9]+|[0-9]{1,3}([.][0-9]{3})+)(,[0-9]+)?') "
    "THEN CAST(replace(replace(trim(t), '.', ''), ',', '.') AS DECIMAL(18, 6)) "
    f"ELSE {_NO_COMMA} END"
)

# Letters and digits of any script stay; everything else parts words.
_OTHER_CHARACTERS = r"[^\p{L}\p{M}\p{N}]+"
_WORDS = f"regexp_replace(lower(nfc_normalize(t)), '{_OTHER_CHARACTERS}', '_', 'g')"
_SLUG = f"nullif(trim({_WORDS}, '_'), '')"

# Half of a minor unit goes to the even one, as in bookkeeping and as Python's decimal does.
_MINOR = (
    "CAST(round_even(CAST(amount AS DECIMAL(28, 10)) * CAST(10 ** digits AS INTEGER), 0) AS BIGINT)"
)

_BODIES = {
    "digits_id(t)": _ID,
    "wall_time(t)": _WALL,
    "instant(t, zone)": _INSTANT,
    "decimal_comma(t)": _DECIMAL_COMMA,
    "slug(t)": _SLUG,
    "minor_units(amount, digits := 2)": _MINOR,
}
# What fails on a text that it cannot read, and what gives NULL there instead.
FORGIVING = {name.partition("(")[0]: f"try_{name.partition('(')[0]}" for name in _BODIES}
FORGIVING["strptime"] = "try_strptime"
MACROS = tuple(
    f"CREATE MACRO {prefix}{name} AS {body.replace('CAST(', cast)}"
    for name, body in _BODIES.items()
    for prefix, cast in (("", "CAST("), ("try_", "TRY_CAST("))
)
