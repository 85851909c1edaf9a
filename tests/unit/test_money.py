"""Money: the minor units of each currency, and the currency that a catalogue may name."""

from __future__ import annotations

import pytest

from streams.core.catalogue_yaml import CatalogueError
from streams.core.money import format_major, format_minor, minor_digits, minor_per_major
from tests.shops import SHOP, load


@pytest.mark.parametrize(
    ("currency", "digits"), [("EUR", 2), ("USD", 2), ("JPY", 0), ("XOF", 0), ("KWD", 3), ("CLF", 4)]
)
def test_a_currency_has_the_minor_digits_of_iso_4217(currency: str, digits: int) -> None:
    assert minor_digits(currency) == digits
    assert minor_per_major(currency) == 10**digits


def test_an_amount_is_shown_with_its_currency() -> None:
    assert format_minor(123_456, "EUR") == "1,234.56 EUR"
    assert format_minor(123_456, "JPY") == "123,456 JPY"
    assert format_minor(123_456, "KWD") == "123.456 KWD"
    assert format_major(4.5, "USD") == "4.50 USD"


@pytest.mark.parametrize("code", ["eur", "XAU", "", "EURO"])
def test_what_is_no_money_has_no_minor_units(code: str) -> None:
    with pytest.raises(ValueError, match="no currency code of ISO 4217"):
        minor_digits(code)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("GPB", "currency: `GPB` is no currency of ISO 4217; did you mean `GBP`?"),
        ("XAU", "currency: `XAU` is no currency of ISO 4217"),
        ("eur", "currency: `eur` is no currency code; write three capitals"),
    ],
)
def test_a_catalogue_in_an_unknown_currency_is_refused(written: str, said: str) -> None:
    line = SHOP[: SHOP.index("currency:")].count("\n") + 1
    with pytest.raises(CatalogueError) as refused:
        load(SHOP.replace("currency: EUR", f"currency: {written}"))
    assert f":{line} {said}" in str(refused.value)
