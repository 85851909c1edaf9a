"""Currencies: how many digits of an amount are minor units, and how an amount is shown.

Records carry money as integers in minor units (`unit_price_minor`), a catalogue's `value` is in
major units. How many minor units make a major one differs: 100 pence a pound, but the yen has
none and the Kuwaiti dinar has 1,000 fils. An amount is always shown with its currency, so that
amounts of different currencies cannot be taken for each other.
"""

from __future__ import annotations

# ISO 4217, list one (currencies) without codes that have no minor unit ("N.A.": gold, SDR, tests).
# Codes withdrawn since 2020 are kept (ANG, CUC, HRK, SLL, ZWL): logs from before hold them.
_DIGITS: dict[int, str] = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP "
        "BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR "
        "FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR "
        "KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR "
        "MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK "
        "SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN "
        "UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ZWL"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

# The unit of features that are amounts of money.
MINOR_UNITS = "minor units"
MINOR_DIGITS: dict[str, int] = {
    code: digits for digits, codes in _DIGITS.items() for code in codes.split()
}

# The most traded currencies (BIS triennial survey 2022): what a mistyped code probably means.
COMMON_CURRENCIES = (
    *("USD", "EUR", "JPY", "GBP", "CNY", "AUD", "CAD", "CHF", "HKD", "SGD", "SEK"),
    *("KRW", "NOK", "NZD", "INR", "MXN", "TWD", "ZAR", "BRL", "DKK", "PLN"),
)


def minor_digits(currency: str) -> int:
    """Return how many decimal digits the minor unit of an ISO 4217 currency has.

    Raises `ValueError` for a code that ISO 4217 does not list as money.

    >>> minor_digits("EUR"), minor_digits("JPY"), minor_digits("KWD")
    (2, 0, 3)
    """
    try:
        return MINOR_DIGITS[currency]
    except KeyError:
        raise ValueError(f"{currency!r} is no currency code of ISO 4217") from None


def minor_per_major(currency: str) -> int:
    """Return how many minor units make one major unit.

    >>> minor_per_major("GBP"), minor_per_major("JPY")
    (100, 1)
    """
    return int(10 ** minor_digits(currency))


def currency_number(currency: str) -> float:
    """Return a currency code as a number that states can keep; each code has its own, none is 0.

    >>> currency_number("AAA"), currency_number("EUR")
    (703.0, 3944.0)
    """
    number = 0
    for letter in currency:
        number = number * 26 + ord(letter) - ord("A") + 1
    return float(number)


def currency_of(number: float) -> str | None:
    """Return the code of a currency's number, None for 0.

    >>> currency_of(currency_number("JPY")), currency_of(0.0)
    ('JPY', None)
    """
    rest, code = int(number), ""
    while rest > 0:
        rest, place = divmod(rest - 1, 26)
        code = chr(ord("A") + place) + code
    return code or None


def format_major(amount: float, currency: str) -> str:
    """Return an amount in major units for people, with its currency.

    >>> format_major(1234.5, "EUR"), format_major(611.4, "JPY"), format_major(-0.5, "KWD")
    ('1,234.50 EUR', '611 JPY', '-0.500 KWD')
    """
    return f"{amount:,.{minor_digits(currency)}f} {currency}"


def format_minor(amount_minor: float, currency: str) -> str:
    """Return an amount in minor units for people: in major units, with its currency.

    >>> format_minor(611, "EUR"), format_minor(611, "JPY"), format_minor(1234567, "KWD")
    ('6.11 EUR', '611 JPY', '1,234.567 KWD')
    """
    return format_major(amount_minor / minor_per_major(currency), currency)
