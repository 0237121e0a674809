"""Inputs of core's mutations, and how they become what services take."""

from typing import Any
from uuid import UUID

import strawberry
from strawberry import UNSET as ABSENT

from crmkit import UNSET, inputs
from crmkit.models import ContactKind, Direction, Gender, Lifecycle, LineKind, TransactionKind
from crmkit_schema.object_types import split_id
from crmkit_schema.values import Amount, DateInput, DateTimeInput, bad_input


def _about(description: str, **options: Any) -> Any:
    return strawberry.field(description=description, **options)


@strawberry.input(description="Names a customer: by id, or by what another system calls it.")
class CustomerRefInput:
    """One of the two."""

    id: strawberry.ID | None = _about("Global id.", default=None)
    external_id: str | None = _about("Name in another system.", default=None)
    source: str | None = _about("That system; the record's own if left out.", default=None)

    def given(self) -> inputs.CustomerRef:
        """Return what services take."""
        return inputs.CustomerRef(
            None if self.id is None else _customer_id(self.id), self.external_id, self.source
        )


def _customer_id(text: str) -> UUID:
    prefix, id_ = split_id(text)
    if prefix != "cus":
        raise bad_input(f"{text[:60]!r} is not the id of a customer")
    return id_


@strawberry.input(description="One line; quantities are negative when goods come back.")
class TransactionLineInput:
    """Mirrors `crmkit.LineInput`."""

    sku: str = _about("Article number.")
    quantity: Amount = _about("Units, up to 3 decimals.")
    unit_price: Amount = _about("Price of one unit in major units, up to 6 decimals.")
    kind: LineKind = _about("What the line stands for.", default=LineKind.PRODUCT)
    description: str | None = _about("What it says on the receipt.", default=None)
    category: str | None = _about("Category of the article.", default=None)
    brand: str | None = _about("Brand of the article.", default=None)
    discount: Amount = _about(
        "Taken off what the goods cost, in major units; never negative.", default="0"
    )
    tax: Amount = _about("Tax contained in the amount.", default="0")
    amount: Amount | None = _about(
        "The line's amount if the till rounds its own way.", default=None
    )
    original_position: int | None = _about("Line of the original that comes back.", default=None)

    def given(self) -> inputs.LineInput:
        """Return what services take."""
        return inputs.LineInput(**_plain(self))


@strawberry.input(description="One transaction; source and externalId make it idempotent.")
class TransactionInput:
    """Mirrors `crmkit.TransactionInput`."""

    source: str = _about("The system that sends it.")
    external_id: str = _about("That system's number for it.")
    occurred_at: DateTimeInput = _about("When it happened.")
    currency: str = _about("ISO 4217 code.")
    lines: list[TransactionLineInput] = _about("The lines; none in a void.", default_factory=list)
    kind: TransactionKind = _about("What happened.", default=TransactionKind.SALE)
    customer: CustomerRefInput | None = _about("Whose it is, if known.", default=None)
    channel: str | None = _about("Such as store, web or app.", default=None)
    store: str | None = _about("Where.", default=None)
    staff: str | None = _about("Who served.", default=None)
    paid: Amount | None = _about("What was paid; the total if left out.", default=None)
    original: str | None = _about("External id of the sale it returns or voids.", default=None)

    def given(self) -> inputs.TransactionInput:
        """Return what services take."""
        lines = [line.given() for line in self.lines]
        return inputs.TransactionInput(**{**_plain(self), "lines": lines})


@strawberry.input(description="One interaction; source and externalId make it idempotent.")
class InteractionInput:
    """Mirrors `crmkit.InteractionInput`."""

    source: str = _about("The system that sends it.")
    external_id: str = _about("That system's number for it.")
    occurred_at: DateTimeInput = _about("When it happened.")
    kind: str = _about("One of the kinds that `modules` lists.")
    customer: CustomerRefInput | None = _about("Whom it was with, if known.", default=None)
    channel: str | None = _about("Such as store, phone, mail or web.", default=None)
    direction: Direction = _about("Who spoke first.", default=Direction.INBOUND)
    subject: str | None = _about("What it is about.", default=None)
    content: str | None = _about("What was said.", default=None)
    rating: int | None = _about("1 (worst) to 5 (best).", default=None)
    sku: str | None = _about("The article it is about.", default=None)
    transaction: str | None = _about("External id of the transaction it is about.", default=None)
    staff: str | None = _about("Who spoke for the shop.", default=None)
    payload: strawberry.scalars.JSON | None = _about("What its kind adds.", default=None)

    def given(self) -> inputs.InteractionInput:
        """Return what services take."""
        return inputs.InteractionInput(**_plain(self))


@strawberry.input(description="One way to reach a customer.")
class ContactPointInput:
    """Mirrors `crmkit.ContactInput`."""

    kind: ContactKind = _about("What kind of address it is.")
    value: str = _about("As typed.")
    is_primary: bool = _about("Whether it is the one to use.", default=False)
    verified_at: DateTimeInput | None = _about("When the customer proved to own it.", default=None)


@strawberry.input(description="One postal address; replaces the one of the same kind.")
class CustomerAddressInput:
    """Mirrors `crmkit.AddressInput`."""

    kind: str = _about("Such as home, work or delivery.", default="home")
    country: str | None = _about("ISO 3166 code.", default=None)
    region: str | None = _about("Province, state or county.", default=None)
    city: str | None = _about("Town.", default=None)
    street: str | None = _about("Street and number.", default=None)
    postal_code: str | None = _about("Postal code.", default=None)


@strawberry.input(
    description="A customer to create or change. What is left out stays, null empties."
)
class CustomerInput:
    """Mirrors `crmkit.CustomerInput`."""

    source: str = _about("The system that sends it.")
    external_id: str = _about("That system's name for the customer.")
    display_name: str | None = _about("The whole name.", default=ABSENT)
    given_name: str | None = _about("Given name.", default=ABSENT)
    family_name: str | None = _about("Family name.", default=ABSENT)
    gender: Gender | None = _about("As the customer states it.", default=ABSENT)
    birth_on: DateInput | None = _about("Date of birth.", default=ABSENT)
    occupation: str | None = _about("Occupation.", default=ABSENT)
    language: str | None = _about("BCP 47 tag, such as zh-CN.", default=ABSENT)
    lifecycle: Lifecycle | None = _about("Where the customer stands.", default=ABSENT)
    contact_points: list[ContactPointInput] = _about("Added to those known.", default_factory=list)
    addresses: list[CustomerAddressInput] = _about(
        "Replace those of the same kind.", default_factory=list
    )
    tags: list[str] = _about("Added to those known.", default_factory=list)

    def given(self) -> inputs.CustomerInput:
        """Return what services take."""
        parts = {
            "contact_points": [inputs.ContactInput(**_plain(each)) for each in self.contact_points],
            "addresses": [inputs.AddressInput(**_plain(each)) for each in self.addresses],
        }
        return inputs.CustomerInput(**{**_plain(self), **parts})


@strawberry.input(description="Says whose an anonymous transaction was.")
class AttachTransactionInput:
    """Mirrors `crmkit.AttachInput`."""

    source: str = _about("The system that recorded it.")
    external_id: str = _about("That system's number for it.")
    customer: CustomerRefInput = _about("Whose it is.")

    def given(self) -> inputs.AttachInput:
        """Return what services take."""
        return inputs.AttachInput(self.source, self.external_id, self.customer.given())


def _plain(given: Any) -> dict[str, Any]:
    """Return an input's attributes as services know them."""
    values: dict[str, Any] = dict(vars(given))
    for name, value in values.items():
        if value is ABSENT:
            values[name] = UNSET
        elif isinstance(value, CustomerRefInput):
            values[name] = value.given()
    return values
