"""Mutations of the plugin for tests: some go well, the others wrong in every way there is."""

from typing import Any, ClassVar

import strawberry
from graphql import GraphQLError
from sqlalchemy import update
from strawberry import Info
from strawberry.scalars import JSON
from tests.schema.engine.extras_moods import Mood
from tests.schema.engine.extras_python import ExtrasBadge, ExtrasThing, badge, things

from crmkit import NotFound, Refused, models, table_of
from crmkit_schema import PUBLIC, Customer, mutation, object_type, problem_type, read_id, related
from crmkit_schema.rows import fetch_row


class TakenError(Refused):
    """A name that somebody has."""

    code: ClassVar[str] = "EXTRAS_TAKEN"

    def __init__(self, name: str) -> None:
        self.name, self.longest = name, 7
        super().__init__(f"{name!r} is taken")


@problem_type(TakenError)
class ExtrasTakenProblem:
    """Somebody has the name."""

    name: str = strawberry.field(description="The name.")
    longest: int = strawberry.field(description="Letters.")


@strawberry.input(description="A new name.")
class ExtrasRenameInput:
    """Who, and what may go wrong."""

    customer_id: strawberry.ID = strawberry.field(description="Whose.")
    name: str = strawberry.field(description="The name.", default="New 名 🎈")
    failing: str = strawberry.field(description="How it goes wrong.", default="")
    mood: Mood | None = strawberry.field(description="A mood.", default=None)


def _certain(root: "ExtrasRenameSuccess") -> str:
    if root.badge is None:
        raise RuntimeError("no badge")
    return root.badge.text


@object_type(None, permission=PUBLIC)
class ExtrasRenameSuccess:
    """What was written, and objects of every kind."""

    customer_id: strawberry.Private[Any]
    customer: Customer = related("Who.", parent="customer_id")
    badge: ExtrasBadge | None = strawberry.field(description="An object.")
    things: list[ExtrasThing | None] = strawberry.field(description="Objects.")
    number: float = strawberry.field(description="A number.")
    anything: JSON | None = strawberry.field(description="Anything.")
    mood: Mood | None = strawberry.field(description="A mood.")

    certain: str = strawberry.field(description="Fails without a badge.", resolver=_certain)


@strawberry.type
class ExtrasMutation:
    """Root fields."""

    @mutation("Rename a customer.", permission="extras.write", problems=(ExtrasTakenProblem,))
    def extras_rename(self, info: Info, input: ExtrasRenameInput) -> ExtrasRenameSuccess:
        """Write, or fail before or after writing."""
        id_ = read_id(Customer, input.customer_id)
        customer = table_of(models.Customer)

        def rename(session: Any) -> None:
            named = update(customer).where(customer.c.id == id_).values(display_name=input.name)
            if session.connection().execute(named).rowcount == 0:
                raise NotFound("customer", input.customer_id)
            _fail(input.failing, input.name)

        info.context.crm.write(rename)
        return ExtrasRenameSuccess(
            customer_id=id_,
            badge=None if input.name == "" else badge(input.name, owner=id_),
            things=things(len(input.name) % 7),
            number=len(input.name) / 3,
            anything=JSON({"name": input.name, "none": None}),
            mood=input.mood,
        )

    @mutation("Touch a customer.", permission="extras.write")
    def extras_touch(self, info: Info, id: strawberry.ID, times: int = 1) -> Customer:
        """Give the row itself."""
        key = read_id(Customer, id)
        customer = table_of(models.Customer)
        for _ in range(min(times, 3)):
            info.context.crm.write(
                lambda session: session.connection().execute(
                    update(customer)
                    .where(customer.c.id == key)
                    .values(occupation=customer.c.display_name, updated_at=info.context.now)
                )
            )
        return fetch_row(info, Customer, key)


def _fail(how: str, name: str) -> None:
    if how == "taken":
        raise TakenError(name)
    if how == "crash":
        raise ZeroDivisionError
    if how == "told":
        raise GraphQLError("told", extensions={"code": "EXTRAS_TOLD", "more": [1]})
