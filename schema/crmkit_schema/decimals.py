"""Exact decimals, stored as whole numbers and given as text."""

from crmkit_schema.sources import Codec


def decimal_codec(digits: int) -> Codec:
    """Return the codec of a whole number that counts the `digits`-th decimals of a unit."""
    return Codec(f"decimal:{digits}", lambda value: shown_decimal(value, digits))


def shown_decimal(value: int, digits: int) -> str:
    """Return value / 10**digits as text without zeros at the end: 1500, 3 gives `1.5`."""
    sign, (whole, rest) = "-" if value < 0 else "", divmod(abs(value), 10**digits)
    fraction = f"{rest:0{digits}d}".rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


PIECES = decimal_codec(3)
UNIT_PRICE = decimal_codec(6)
