"""SQL functions that every query may use beside DuckDB's own: what exports get wrong most often.

Each takes text, or what can be written as one. What does not fit makes the row a rejected one,
with the reason in words; empty stays empty. deploy/feeds/README.md lists them for users.
"""

from __future__ import annotations

# A zone at the end of a time: Z or an offset after the time of day, or a name after a blank. The
# last two digits of a date alone are no offset.
ZONE_PATTERN = (
    r"(:[0-9.]+\s*(Z|[+-][0-9]{2}(:?[0-9]{2})?)|[0-9]Z|[0-9]\s+[A-Za-z][A-Za-z0-9_+/-]*)$"
)
_OFFSET_AFTER_BLANK = r"\s+([+-][0-9]{2}(:?[0-9]{2})?)$"


def _refused(words: str, sql_type: str) -> str:
    """Return SQL that fails with words and the text: a cast of them, which no type can take."""
    return f"CAST({words} || ': ' || CAST(t AS VARCHAR) AS {sql_type})"


_TEXT = "CAST(t AS VARCHAR)"
_TRIMMED = f"trim({_TEXT})"

_CUT = _refused("'a spreadsheet cut the digits of this id; export the column as text'", "BIGINT")
_NO_DIGITS = _refused("'an id of digits is needed'", "BIGINT")
_ID = f"""
    CASE WHEN regexp_full_match({_TEXT}, '[0-9]+') THEN {_TEXT}
    WHEN regexp_full_match({_TEXT}, '[0-9]+[.]0+') THEN regexp_extract({_TEXT}, '^[0-9]+')
    WHEN regexp_full_match({_TEXT}, '[0-9]+([.,][0-9]+)?[eE][+]?[0-9]+')
    THEN CAST({_CUT} AS VARCHAR) ELSE CAST({_NO_DIGITS} AS VARCHAR) END
"""

# Wall time of a text; a text that names a zone is none.
_ZONED = _refused("'this time names a zone; read it with instant(text, zone)'", "TIMESTAMP")
_NAMES_ZONE = f"regexp_matches({_TRIMMED}, '{ZONE_PATTERN}')"
_WALL = f"CASE WHEN {_NAMES_ZONE} THEN {_ZONED} ELSE CAST(t AS TIMESTAMP) END"

_WITH_ZONE = f"regexp_replace({_TRIMMED}, '{_OFFSET_AFTER_BLANK}', '\\1')"
_INSTANT = (
    f"CASE WHEN {_NAMES_ZONE} THEN CAST({_WITH_ZONE} AS TIMESTAMPTZ) "
    "ELSE timezone(zone, CAST(t AS TIMESTAMP)) END"
)

_WITH_COMMA = "[+-]?([0-9]+|[0-9]{1,3}([.][0-9]{3})+)(,[0-9]+)?"
_DECIMAL_COMMA = (
    f"CASE WHEN regexp_full_match({_TRIMMED}, '{_WITH_COMMA}') "
    f"THEN CAST(replace(replace({_TRIMMED}, '.', ''), ',', '.') AS DECIMAL(18, 6)) "
    f"""ELSE {_refused("'no number with a decimal comma'", "DECIMAL(18, 6)")} END"""
)

# Letters and digits of any script stay; everything else parts words.
_OTHER_CHARACTERS = r"[^\p{L}\p{M}\p{N}]+"
_WORDS = f"regexp_replace(lower(nfc_normalize({_TEXT})), '{_OTHER_CHARACTERS}', '_', 'g')"
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
