"""A plugin that declares what core's types do not: every kind of source, well and badly behaved."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Any

import strawberry
from sqlalchemy import Double, FromClause, cast, func, select

from crmkit import Permission, Plugin, SchemaContribution, hookimpl, models, table_of
from crmkit.models import TransactionKind
from crmkit_schema import (
    Connection,
    Customer,
    Transaction,
    computed,
    connection,
    mapped,
    object_type,
    related,
)

SEE = "extras.read"


@strawberry.enum(name="ExtrasMood", description="A mood.")
class Mood(StrEnum):
    """A mood."""

    GOOD = "good"
    BAD = "bad"


def share(rows: FromClause) -> Any:
    """A number with many digits."""
    return cast(func.length(rows.c.display_name), Double) / 7.0


def sales(rows: FromClause) -> Any:
    """A count of other rows."""
    sale = table_of(models.Transaction).alias()
    counted = select(func.count()).where(sale.c.customer_id == rows.c.id)
    return counted.scalar_subquery()


def greetings(parents: Sequence[Any], context: Any, *, times: int = 1) -> list[list[str]]:
    """Greet everybody."""
    return [[f"{context.today} {each.display_name}"] * times for each in parents]


def moods(parents: Sequence[Any], _context: Any) -> list[Mood | None]:
    """Guess moods."""
    return [None if each.birth_on is None else Mood.GOOD for each in parents]


def birthdays(parents: Sequence[Any], _context: Any) -> list[date | None]:
    """Say what the columns are in Python."""
    assert all(each.created_at.tzinfo is not None and each.id.hex for each in parents)
    return [each.birth_on for each in parents]


def grumbles(parents: Sequence[Any], _context: Any) -> list[str]:
    """Fail where somebody has no family name."""
    return [each.family_name.upper() for each in parents]


def is_sale(rows: FromClause) -> Any:
    """Sales alone."""
    return rows.c.kind == TransactionKind.SALE


@object_type(
    models.CustomerDay,
    permission=SEE,
    sorted_by=("-business_on", "currency", "customer_id"),
    name="ExtrasDay",
)
class Day:
    """A day on which somebody bought."""

    business_on: date = mapped("The day.", filter=True)
    currency: str = mapped("The currency.")


@object_type(models.Customer, permission=SEE, sorted_by=("display_name", "id"), name="Extras")
class Extras:
    """More about customers."""

    share: float = mapped("A number.", sql=share)
    sales: int = mapped("A count.", sql=sales)
    family: str | None = mapped("May be null.", column="family_name")
    strict: str = mapped("Must not be null and is.", column="family_name")
    greetings: list[str] = computed("With an argument.", greetings, needs=("display_name",))
    mood: Mood | None = computed("An enum.", moods, needs=("birth_on",))
    birthday: date | None = computed("A day.", birthdays, needs=("birth_on", "created_at", "id"))
    grumble: str | None = computed("Fails.", grumbles, needs=("family_name",))
    latest: Transaction | None = related("One of many.", child="customer_id")
    bought: list[Transaction] = related(
        "Two sales.", child="customer_id", where=is_sale, order=("occurred_at", "id"), limit=2
    )
    customer: Customer | None = related("Back again.")
    days: Connection[Day] = connection("Paged by day.", child="customer_id")


@strawberry.type
class CustomerExtras:
    """What customers get."""

    extras: Extras = related("More.")


plugin = Plugin(
    name="extras",
    version="1",
    summary="For a test.",
    permissions=[Permission(SEE, "For a test.")],
)


@hookimpl
def register_graphql() -> SchemaContribution:
    """One field on customers."""
    return SchemaContribution(extends={"Customer": CustomerExtras})
