"""A plugin that declares what core's types do not: every kind of source, well and badly behaved."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import strawberry
from sqlalchemy import Double, FromClause, cast, func, select
from strawberry.scalars import JSON
from tests.schema.engine.extras_moods import Mood
from tests.schema.engine.extras_python import ExtrasBadge, ExtrasQuery, ExtrasThing, badge, things
from tests.schema.engine.extras_writing import ExtrasMutation

from crmkit import Permission, Plugin, SchemaContribution, hookimpl, models, table_of
from crmkit.models import TransactionKind
from crmkit_schema import (
    Codec,
    Connection,
    Customer,
    Transaction,
    computed,
    connection,
    mapped,
    object_type,
    related,
)

SEE, WRITE, SECRETS = "extras.read", "extras.write", "extras.secrets"


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


def badges(parents: Sequence[Any], _context: Any, *, least: int = 0) -> list[ExtrasBadge | None]:
    """Make an object of each long name."""
    names = ((each.display_name, each) for each in parents)
    return [
        badge(name, each.id, each.birth_on) if len(name) >= least else None for name, each in names
    ]


def several(parents: Sequence[Any], _context: Any) -> list[Any]:
    """Make objects of two types."""
    return [things(len(each.display_name) % 6) for each in parents]


def anything(parents: Sequence[Any], _context: Any) -> list[Any]:
    """Give JSON of every shape."""
    return [[each.display_name, None, {"k": 0.5, "a": []}] for each in parents]


def too_few(parents: Sequence[Any], _context: Any) -> list[int]:
    """Forget somebody."""
    return [1] * (len(parents) - 1)


def wrong(parents: Sequence[Any], _context: Any) -> list[Any]:
    """Give what GraphQL's Int refuses, here and there."""
    return [2**40 if each.birth_on is None else 5 for each in parents]


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
    reversed: str | None = mapped(
        "Read by Python.", column="family_name", codec=Codec("reversed", lambda text: text[::-1])
    )
    secret: str | None = mapped("Not for all.", column="given_name", permission=SECRETS)
    greetings: list[str] = computed("With an argument.", greetings, needs=("display_name",))
    mood: Mood | None = computed("An enum.", moods, needs=("birth_on",))
    birthday: date | None = computed("A day.", birthdays, needs=("birth_on", "created_at", "id"))
    grumble: str | None = computed("Fails.", grumbles, needs=("family_name",))
    badge: ExtrasBadge | None = computed(
        "An object.", badges, needs=("display_name", "id", "birth_on")
    )
    things: list[ExtrasThing | None] = computed("A union.", several, needs=("display_name",))
    anything: JSON = computed("Anything.", anything, needs=("display_name",))
    too_few: int | None = computed("Forgets.", too_few)
    wrong: int | None = computed("Refused here and there.", wrong, needs=("birth_on",))
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
    permissions=[Permission(each, "For a test.") for each in (SEE, WRITE, SECRETS)],
)


@hookimpl
def register_graphql() -> SchemaContribution:
    """One field on customers, some at the root."""
    return SchemaContribution(
        queries=(ExtrasQuery,), mutations=(ExtrasMutation,), extends={"Customer": CustomerExtras}
    )
