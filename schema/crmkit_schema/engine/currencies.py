"""The currencies in use, by the digits of their minor unit, for SQL that writes amounts."""

from collections.abc import Sequence

from crmkit.money import known_currencies


def by_digits(home: str) -> Sequence[tuple[int, Sequence[str]]]:
    """Return digits with their currencies.

    Args:
        home: the currency that comes first, alone, since almost all amounts are in it.
    """
    known = known_currencies()
    found: dict[int, list[str]] = {}
    for code, digits in known.items():
        found.setdefault(digits, []).append(code)
    return [(known[home], [home]), *found.items()]
