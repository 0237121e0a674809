"""Amounts from outside become exact integers here, and nowhere else.

Money is an integer count of the currency's minor unit. Unit prices are finer, in millionths of
the major unit (micros), because shops sell screws and fuel below a penny. Quantities are in
thousandths (milli), because shops sell cheese by weight.

The grammar is narrow on purpose: Python's `Decimal` also reads `1e3`, `1_000`, `NaN` and digits
of other scripts, none of which a till means.
"""

import re
from decimal import Decimal
from functools import lru_cache

# ISO 4217 currencies whose minor unit is not a hundredth; the rest of the active list has two.
_DIGITS = {
    **dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
    ),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
_TWO_DIGITS = frozenset(
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD "
    "CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD "
    "GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD "
    "MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP "
    "PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS "
    "TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG".split()
)
_WHOLE_MAX = 10**12
_NUMBER = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,6}))?", re.ASCII)


class AmountError(ValueError):
    """A number that is not written in the grammar; the message says what is wrong."""


@lru_cache(maxsize=512)
def currency_digits(currency: str) -> int:
    """Return how many decimal digits the currency's minor unit has.

    Args:
        currency: ISO 4217 code in capitals, such as `CNY`.

    Raises:
        AmountError: the code is not in use.
    """
    if currency in _TWO_DIGITS:
        return 2
    try:
        return _DIGITS[currency]
    except (KeyError, TypeError):
        raise AmountError("not an ISO 4217 currency code in use") from None


def known_currencies() -> dict[str, int]:
    """Return every currency in use, with how many decimal digits its minor unit has."""
    return {**dict.fromkeys(sorted(_TWO_DIGITS), 2), **_DIGITS}


def _scaled(value: object, digits: int) -> int:
    """Return `value` x 10**digits as an integer, exactly."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise AmountError("write it as text, like 12.50")
    match = _NUMBER.fullmatch(_plain(value))
    if match is None:
        raise AmountError("write it with plain digits and at most one point, like 12.50")
    sign, whole, fraction = match[1], match[2], (match[3] or "").rstrip("0")
    if len(fraction) > digits:
        raise AmountError(f"at most {digits} digits after the point")
    scaled = int(whole + fraction.ljust(digits, "0"))
    return -scaled if sign else scaled


def _plain(value: str | int | Decimal) -> str:
    """Return a number's plain digits; empty if it has more than any amount can have."""
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value) if abs(value) < _WHOLE_MAX else ""
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or not -20 < exponent < 20:
        return ""
    return format(value, "f")


# Typed, because 1, True and 1.0 are the same key otherwise and only the first is an amount.
@lru_cache(maxsize=65536, typed=True)
def parse_minor(value: str | int | Decimal, currency: str) -> int:
    """Return an amount of money in minor units.

    Args:
        value: major units as text (`"12.50"`), integer or Decimal; never a float.
        currency: ISO 4217 code.

    Raises:
        AmountError: the text is outside the grammar or finer than the currency.
    """
    return _scaled(value, currency_digits(currency))


@lru_cache(maxsize=65536, typed=True)
def parse_micros(value: str | int | Decimal) -> int:
    """Return a unit price in millionths of the major unit."""
    return _scaled(value, 6)


@lru_cache(maxsize=65536, typed=True)
def parse_milli(value: str | int | Decimal) -> int:
    """Return a quantity in thousandths of its unit."""
    return _scaled(value, 3)


def round_half_away(numerator: int, denominator: int) -> int:
    """Return numerator / denominator rounded to the nearest integer, halves away from zero.

    This is the one rounding rule of crmkit's money, applied once per transaction line.
    """
    quotient, rest = divmod(abs(numerator), denominator)
    if 2 * rest >= denominator:
        quotient += 1
    return -quotient if numerator < 0 else quotient


@lru_cache(maxsize=65536)
def line_amount(quantity_milli: int, unit_price_micros: int, currency: str) -> int:
    """Return quantity x unit price in minor units of `currency`, rounded once."""
    return round_half_away(
        quantity_milli * unit_price_micros, 10 ** (9 - currency_digits(currency))
    )


def format_minor(minor: int, currency: str) -> str:
    """Return minor units as text in major units: 1250, `GBP` gives `12.50`."""
    digits = currency_digits(currency)
    if digits == 0:
        return str(minor)
    sign = "-" if minor < 0 else ""
    whole, fraction = divmod(abs(minor), 10**digits)
    return f"{sign}{whole}.{fraction:0{digits}d}"
