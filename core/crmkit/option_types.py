"""Types of options that the settings of crmkit and of plugins share."""

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator

from crmkit.money import AmountError, currency_digits


def known_zone(value: str) -> str:
    """Return the name of a time zone.

    Raises:
        ValueError: there is no such zone.
    """
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("not an IANA time zone such as Asia/Shanghai") from None
    return value


def known_currency(value: str) -> str:
    """Return the code of a currency.

    Raises:
        ValueError: there is no such currency.
    """
    try:
        currency_digits(value)
    except AmountError as error:
        raise ValueError(str(error)) from None
    return value


Zone = Annotated[str, AfterValidator(known_zone)]
Currency = Annotated[str, AfterValidator(known_currency)]
