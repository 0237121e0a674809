"""Phone numbers and e-mail addresses: one way of writing each. Pure."""

from functools import lru_cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email


class ContactError(ValueError):
    """A contact value that cannot be reached as written; the message says why."""


@lru_cache(maxsize=4096)
def normalise_phone(raw: str, region: str) -> str:
    """Return a phone number in E.164, such as `+8613800138000`.

    Args:
        raw: as typed; spaces, brackets and full-width digits are understood.
        region: ISO 3166 country assumed when the number has no country code.

    Raises:
        ContactError: not a number that can exist.
    """
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        raise ContactError("not a phone number") from None
    if not phonenumbers.is_valid_number(number):
        raise ContactError(f"not a phone number that can exist in {region}")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=4096)
def normalise_email(raw: str) -> str:
    """Return an e-mail address in lower case: one mailbox, one spelling. Asks no network.

    Raises:
        ContactError: not an address mail could be sent to.
    """
    try:
        return validate_email(raw.strip(), check_deliverability=False).normalized.casefold()
    except EmailNotValidError as error:
        raise ContactError(str(error)) from None
