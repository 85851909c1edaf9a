"""Names and texts as SQL writes them."""

from __future__ import annotations


def quoted(name: str) -> str:
    """Return a name as a quoted identifier; quotes in it are doubled.

    >>> quoted("a b")
    '"a b"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as a literal.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def unique_names(header: list[str]) -> tuple[str, ...]:
    """Name every column once: nameless ones by their place, repeated ones with a number.

    `row` is the name of the line's number, so a column of that name is `row_1`.

    >>> unique_names(["id", " name ", "", "ID"])
    ('id', 'name', 'column2', 'ID_1')
    """
    names: list[str] = []
    taken: set[str] = {"row"}
    for place, cell in enumerate(header):
        wanted = cell.strip() or f"column{place}"
        name, more = wanted, 0
        while name.lower() in taken:
            more += 1
            name = f"{wanted}_{more}"
        taken.add(name.lower())
        names.append(name)
    return tuple(names)
