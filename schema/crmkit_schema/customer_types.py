"""Customers as GraphQL gives them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from crmkit import models
from crmkit.models import ContactKind, Gender, Lifecycle
from crmkit_schema.connections import Connection
from crmkit_schema.customer_figures import (
    CustomerCategory,
    CustomerCurrencyMetrics,
    CustomerMetrics,
    CustomerStore,
)
from crmkit_schema.declarations import computed, connection, mapped, related
from crmkit_schema.object_types import object_type

if TYPE_CHECKING:
    from crmkit_schema.interaction_types import Interaction
    from crmkit_schema.transaction_types import Transaction

strawberry.enum(Lifecycle, description="Where a customer stands.")
strawberry.enum(Gender, description="Gender as the customer states it.")
strawberry.enum(ContactKind, description="What kind of address it is.")


@object_type(models.ContactPoint, permission="customers.contact", sorted_by=("kind", "id"))
class ContactPoint:
    """One way to reach a customer."""

    kind: ContactKind = mapped("What kind of address it is.")
    value: str = mapped("Normalised: phones in E.164, e-mails in lower case.")
    raw_value: str = mapped("As it was typed.")
    is_primary: bool = mapped("Whether it is the one to use; one per kind.")
    verified_at: datetime | None = mapped("When the customer last proved to own it.")


@object_type(models.CustomerAddress, permission="customers.contact", sorted_by=("kind", "id"))
class CustomerAddress:
    """A postal address."""

    kind: str = mapped("Such as home, work or delivery; one address per kind.")
    country: str | None = mapped("ISO 3166 code.")
    region: str | None = mapped("Province, state or county.")
    city: str | None = mapped("Town.")
    street: str | None = mapped("Street and number.")
    postal_code: str | None = mapped("Postal code.")


@object_type(
    models.CustomerExternalId, permission="customers.read", sorted_by=("source", "external_id")
)
class CustomerExternalId:
    """The name another system gives a customer."""

    source: str = mapped("The other system.")
    external_id: str = mapped("Its name for the customer.")


@object_type(models.CustomerTag, permission="customers.read", sorted_by=("tag", "customer_id"))
class CustomerTag:
    """A word a member of staff put on a customer."""

    tag: str = mapped("The word.")


def ages(parents: Sequence[Any], context: Any) -> list[int | None]:
    """Return ages in whole years on the shops' calendar day."""
    return [_age(each.birth_on, context.today) for each in parents]


def _age(birth_on: date | None, today: date) -> int | None:
    if birth_on is None:
        return None
    return today.year - birth_on.year - ((today.month, today.day) < (birth_on.month, birth_on.day))


@object_type(
    models.Customer, permission="customers.read", sorted_by=("-created_at", "-id"), node="cus"
)
class Customer:
    """A person or firm the retailer sells to, or wants to."""

    display_name: str = mapped("The whole name as the customer writes it.", filter=True, sort=True)
    given_name: str | None = mapped("Given name.", filter=True)
    family_name: str | None = mapped("Family name.", filter=True)
    gender: Gender | None = mapped("As the customer states it.", filter=True)
    birth_on: date | None = mapped("Date of birth.", filter=True)
    age: int | None = computed("Age in whole years today.", ages, needs=("birth_on",))
    occupation: str | None = mapped("Occupation.", filter=True)
    language: str | None = mapped("BCP 47 tag, such as zh-CN.", filter=True)
    lifecycle: Lifecycle = mapped("Where the customer stands.", filter=True)
    lifecycle_since: datetime = mapped("Since when.", filter=True)
    created_at: datetime = mapped(
        "When crmkit first heard of the customer.", filter=True, sort=True
    )
    updated_at: datetime = mapped("When the profile last changed.", filter=True, sort=True)
    tags: list[CustomerTag] = related(
        "Words of the staff; 50 at most.", child="customer_id", limit=50
    )
    contact_points: list[ContactPoint] = related(
        "Ways to reach the customer; 50 at most.", child="customer_id", limit=50
    )
    addresses: list[CustomerAddress] = related(
        "Postal addresses; 50 at most.", child="customer_id", limit=50
    )
    external_ids: list[CustomerExternalId] = related(
        "Names that other systems give the customer.", child="customer_id"
    )
    metrics: CustomerMetrics = related(
        "Key figures in the home currency.", child="customer_id", filter=True
    )
    metrics_by_currency: list[CustomerCurrencyMetrics] = related(
        "Key figures in every currency the customer paid in.", child="customer_id"
    )
    categories: Connection[CustomerCategory] = connection(
        "What the customer bought, by category, most first.", child="customer_id"
    )
    stores: Connection[CustomerStore] = connection(
        "Where the customer bought, most first.", child="customer_id"
    )
    transactions: Connection[
        Annotated["Transaction", strawberry.lazy("crmkit_schema.transaction_types")]
    ] = connection("What the customer bought and brought back, latest first.", child="customer_id")
    interactions: Connection[
        Annotated["Interaction", strawberry.lazy("crmkit_schema.interaction_types")]
    ] = connection("Contacts with the customer, latest first.", child="customer_id")
