"""When a customer's data are well formed, and how they are normalised. Pure."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from crmkit.checking import Row
from crmkit.contact import ContactError, normalise_email, normalise_phone
from crmkit.errors import Problem
from crmkit.inputs import AddressInput, ContactInput, CustomerInput, Unset
from crmkit.models import ContactKind, Gender, Lifecycle

PARTS_MAX = 50
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_TEXTS = {
    "display_name": "displayName",
    "given_name": "givenName",
    "family_name": "familyName",
    "occupation": "occupation",
}


class CheckedContact(NamedTuple):
    """A contact point, normalised; `raw_value` is as typed."""

    kind: str
    value: str
    raw_value: str
    is_primary: bool
    verified_at: datetime | None


class CheckedCustomer(NamedTuple):
    """A customer whose values are all well formed.

    Attributes:
        fields: the columns to write; a column that was not sent is absent.
    """

    row: int
    source: str
    external_id: str
    fields: dict[str, Any]
    contact_points: tuple[CheckedContact, ...]
    addresses: tuple[AddressInput, ...]
    tags: tuple[str, ...]


def check_customer(
    number: int, given: CustomerInput, country: str, today: date
) -> CheckedCustomer | tuple[Problem, ...]:
    """Read one customer, or return everything that is wrong with it.

    Args:
        country: ISO 3166 country of phone numbers without a country code.
        today: no birth date may lie after it.
    """
    row = Row(number)
    checked = CheckedCustomer(
        row=number,
        source=row.required_text("source", given.source),
        external_id=row.required_text("externalId", given.external_id),
        fields=_fields(row, given, today),
        contact_points=_contact_points(
            row, row.items("contactPoints", given.contact_points, ContactInput), country
        ),
        addresses=_addresses(row, row.items("addresses", given.addresses, AddressInput)),
        tags=_tags(row, row.items("tags", given.tags, str)),
    )
    return tuple(row.problems) or checked


def _fields(row: Row, given: CustomerInput, today: date) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, label in _TEXTS.items():
        value = getattr(given, name)
        if not isinstance(value, Unset):
            fields[name] = row.text(label, value)
    if "display_name" in fields:
        fields["display_name"] = fields["display_name"] or ""
    if not isinstance(given.gender, Unset):
        empty = given.gender is None or given.gender == ""
        fields["gender"] = None if empty else row.choice("gender", given.gender, Gender)
    if not isinstance(given.lifecycle, Unset) and given.lifecycle is not None:
        fields["lifecycle"] = row.choice("lifecycle", given.lifecycle, Lifecycle)
    if not isinstance(given.birth_on, Unset):
        fields["birth_on"] = _birth(row, given.birth_on, today)
    if not isinstance(given.language, Unset):
        fields["language"] = language = row.text("language", given.language)
        if language and not _LANGUAGE.fullmatch(language):
            row.fail("UNKNOWN_VALUE", "write a language tag like zh-CN", "language", language)
    return fields


def _birth(row: Row, value: Any, today: date) -> date | None:
    birth_on = row.day("birthOn", value)
    if birth_on is not None and not date(1880, 1, 1) <= birth_on <= today:
        row.fail("OUT_OF_RANGE", "a birth date lies between 1880 and today", "birthOn", value)
    return birth_on


def _contact_points(
    row: Row, given: Sequence[ContactInput], country: str
) -> tuple[CheckedContact, ...]:
    _limit(row, "contactPoints", given)
    checked: dict[tuple[str, str], CheckedContact] = {}
    primaries: set[str] = set()
    for position, each in enumerate(given[:PARTS_MAX]):
        at = f"contactPoints[{position}]"
        kind = row.choice(f"{at}.kind", each.kind, ContactKind)
        raw = row.required_text(f"{at}.value", each.value)
        value = _normalise(row, f"{at}.value", kind, raw, country) if kind and raw else ""
        verified_at = None
        if each.verified_at is not None:
            verified_at = row.instant(f"{at}.verifiedAt", each.verified_at)
        is_primary = row.flag(f"{at}.isPrimary", each.is_primary)
        if is_primary and kind in primaries:
            row.fail("TOO_MANY", f"only one {kind} can be primary", f"{at}.isPrimary")
        if is_primary:
            primaries.add(kind)
        checked[(kind, value)] = CheckedContact(kind, value, raw, is_primary, verified_at)
    return tuple(checked.values())


def _normalise(row: Row, field: str, kind: str, raw: str, country: str) -> str:
    try:
        if kind == ContactKind.PHONE:
            return normalise_phone(raw, country)
        return normalise_email(raw) if kind == ContactKind.EMAIL else raw
    except ContactError as error:
        row.fail("INVALID_CONTACT", str(error), field, raw)
        return ""


def _addresses(row: Row, given: Sequence[AddressInput]) -> tuple[AddressInput, ...]:
    _limit(row, "addresses", given)
    checked: dict[str, AddressInput] = {}
    for position, each in enumerate(given[:PARTS_MAX]):
        at = f"addresses[{position}]"
        kind = row.required_text(f"{at}.kind", each.kind)
        country = row.text(f"{at}.country", each.country)
        if country and not _COUNTRY.fullmatch(country):
            row.fail(
                "UNKNOWN_VALUE",
                "write the country as two capitals, like CN",
                f"{at}.country",
                country,
            )
        if kind in checked:
            row.fail("TOO_MANY", f"there are two {kind} addresses", f"{at}.kind", kind)
        checked[kind] = AddressInput(
            kind=kind,
            country=country,
            region=row.text(f"{at}.region", each.region),
            city=row.text(f"{at}.city", each.city),
            street=row.text(f"{at}.street", each.street, 500),
            postal_code=row.text(f"{at}.postalCode", each.postal_code),
        )
    return tuple(checked.values())


def _tags(row: Row, given: Sequence[str]) -> tuple[str, ...]:
    _limit(row, "tags", given)
    tags = (row.required_text(f"tags[{n}]", tag, 60) for n, tag in enumerate(given[:PARTS_MAX]))
    return tuple(dict.fromkeys(tags))


def _limit(row: Row, field: str, given: Sequence[Any]) -> None:
    if len(given) > PARTS_MAX:
        row.fail("TOO_MANY", f"at most {PARTS_MAX}, got {len(given)}", field)
