"""Which product family a description belongs to, by the words of `families.yaml`."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml

# What is no product: postage, carriage, bank charges, manual entries, discounts and samples.
NOT_PRODUCTS = frozenset(
    {"POST", "DOT", "BANK CHARGES", "M", "m", "C2", "D", "CRUK", "PADS", "AMAZONFEE", "S", "B"}
)


class FamilyRule(NamedTuple):
    """A family and the pattern that finds it in a description."""

    family: str
    pattern: re.Pattern[str]


def _phrase_pattern(phrase: str) -> str:
    stem, open_ended = phrase.removesuffix("*"), phrase.endswith("*")
    return rf"(?<!\w){re.escape(stem)}" + ("" if open_ended else r"(?!\w)")


@cache
def rules() -> tuple[FamilyRule, ...]:
    """Return the rules in the order in which they are tried."""
    text = (files("streams.demo") / "families.yaml").read_text(encoding="utf-8")
    table: list[dict[str, Any]] = yaml.safe_load(text)
    return tuple(
        FamilyRule(row["family"], re.compile("|".join(map(_phrase_pattern, row["phrases"]))))
        for row in table
    )


@cache
def families() -> tuple[str, ...]:
    """Return the ids of all families, each once."""
    return tuple(dict.fromkeys(rule.family for rule in rules()))


@cache
def family_of(stock_code: str, description: str) -> str | None:
    """Return the family of a product, or None for what is no product or meets no rule."""
    if stock_code in NOT_PRODUCTS:
        return None
    text = " ".join(description.lower().replace(",", " ").split())
    return next((rule.family for rule in rules() if rule.pattern.search(text)), None)
