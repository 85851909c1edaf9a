"""The words and signs a rule may consist of, checked before anything parses them."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign><=|>=|==|!=|[<>()\[\]{},+-])"
)
_UNFINISHED = re.compile(r"(?:[<>=(\[{,+-]|\b(?:and|or|not|in))\s*$")
# What people write who know another language.
_FOREIGN = {
    "&&": "and",
    "&": "and",
    "||": "or",
    "|": "or",
    "!": "not",
    "<>": "!=",
    "=": "==",
    "=>": ">=",
    "=<": "<=",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
}
_FOREIGN_WORDS = {"AND": "and", "OR": "or", "NOT": "not", "IN": "in"}
# Comparisons in words; the longer ones first, since `less than or equal` contains `less than`.
_IN_WORDS = (
    (
        r"(?:less|fewer|lower|smaller) than or equal(?: to)?|at most|(?:no|not) more than|up to",
        "<=",
    ),
    (r"(?:more|greater|higher|larger) than or equal(?: to)?|at least|(?:no|not) less than", ">="),
    (r"not equals?(?: to)?|is not equal to", "!="),
    (r"(?:less|fewer|lower|smaller)(?: than)?|below|under|lt", "<"),
    (r"(?:more|greater|higher|larger)(?: than)?|above|over|gt", ">"),
    (r"equals?(?: to)?|eq", "=="),
)
_COMPARED_IN_WORDS = tuple(
    (re.compile(rf"\b(?:is )?(?:{words})\b(?! *[<>=])"), sign) for words, sign in _IN_WORDS
)
_BETWEEN = re.compile(r"\b(?:is )?between\b")


class RuleError(ValueError):
    """A rule that cannot be used; `position` is the 1-based character it went wrong at."""

    def __init__(self, problem: str, position: int) -> None:
        super().__init__(f"at character {position}: {problem}")
        self.problem = problem
        self.position = position


def check_tokens(text: str) -> None:
    """Refuse what is in no rule, so that Python's parser only ever sees harmless words."""
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        foreign = next(
            (f for f in sorted(_FOREIGN, key=len, reverse=True) if text.startswith(f, at)), None
        )
        if foreign and (found is None or len(foreign) > len(found[0])):
            raise RuleError(f"write `{_FOREIGN[foreign]}` instead of `{foreign}`", at + 1)
        if found is None:
            raise RuleError(_strange(text, at), at + 1)
        if found[0] in _FOREIGN_WORDS:
            raise RuleError(f"write `{_FOREIGN_WORDS[found[0]]}` in small letters", at + 1)
        at = found.end()


def unreadable(error: SyntaxError, text: str, indent: int) -> RuleError:
    """Return what Python's parser said of `text` from `indent` on, in words about rules."""
    if in_words := _in_words(text):
        return in_words
    if _UNFINISHED.search(text):
        return RuleError("the rule stops where something must still follow", len(text.rstrip()))
    position = min((error.offset or 1) + indent, len(text))
    return RuleError(f"the rule cannot be read: {error.msg}", position)


def _in_words(text: str) -> RuleError | None:
    """Return which operator to write where a text compares in words, None where it does not."""
    if between := _BETWEEN.search(text):
        return RuleError("write `3 <= feature <= 5` instead of `between`", between.start() + 1)
    for pattern, sign in _COMPARED_IN_WORDS:
        if found := pattern.search(text):
            return RuleError(f"write `{sign}` instead of `{found[0]}`", found.start() + 1)
    return None


def _strange(text: str, at: int) -> str:
    if text[at] in "\"'`":
        return "a rule knows no text in quotes, only features, numbers and yes/no flags"
    if text[at] == "%" and (number := re.search(r"(\d+\.?\d*) *$", text[:at])):
        return f"a rule has no percentages; write {float(number[1]) / 100:g} for {number[1]}%"
    if text[at] in "*/%^":
        return f"`{text[at]}`: a rule compares, it does not calculate; declare a feature for that"
    if text[at].isdigit():
        word = re.match(r"[\w.]+", text[at:])
        return f"`{word[0] if word else text[at]}` is not a number"
    return f"`{text[at]}` has no meaning in a rule"
