"""A peer: strawberry with data loaders over SQLAlchemy's asynchronous ORM, as its guides show.

`python -m tests.benchmarks.serving.strawberry_peer DIALECT DATABASE PORT` serves it.
"""

import sys
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

import strawberry
from sqlalchemy import select
from strawberry import ID, Info
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from tests.benchmarks.serving import strawberry_rows as rows
from tests.benchmarks.serving.strawberry_rows import Rows
from tests.benchmarks.serving.strawberry_sale import record
from tests.benchmarks.serving.under_uvicorn import serve


@strawberry.type
class Line:
    """A line of a sale."""

    position: int
    sku: str
    description: str | None
    quantity_milli: int
    amount_minor: int


@strawberry.type
class Transaction:
    """A sale."""

    id: ID
    occurred_at: datetime
    kind: str
    store: str | None
    total_minor: int
    currency: str

    @classmethod
    def marshal(cls, row: Any) -> "Transaction":
        """Return the type of a row."""
        return cls(
            id=ID(str(row.id)), occurred_at=row.occurred_at, kind=row.kind, store=row.store,
            total_minor=row.total_minor, currency=row.currency,
        )  # fmt: skip

    @strawberry.field
    async def lines(self, info: Info) -> list[Line]:
        """What was sold."""
        found = await info.context["lines"].load(UUID(self.id))
        return [
            Line(
                position=each.position, sku=each.sku, description=each.description,
                quantity_milli=each.quantity_milli, amount_minor=each.amount_minor,
            )
            for each in found
        ]  # fmt: skip


@strawberry.type
class Account:
    """Points."""

    balance: int


@strawberry.type
class Tier:
    """A tier."""

    code: str
    since: datetime


@strawberry.type
class Segment:
    """A group of customers."""

    name: str


@strawberry.type
class Warning:
    """Something to look at."""

    rule: str
    severity: str
    raised_at: datetime


@strawberry.type
class Customer:
    """A customer."""

    id: ID
    display_name: str
    given_name: str | None
    family_name: str | None
    gender: str | None
    birth_on: date | None
    language: str | None
    lifecycle: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def marshal(cls, row: Any) -> "Customer":
        """Return the type of a row."""
        return cls(
            id=ID(str(row.id)), display_name=row.display_name, given_name=row.given_name,
            family_name=row.family_name, gender=row.gender, birth_on=row.birth_on,
            language=row.language, lifecycle=row.lifecycle, created_at=row.created_at,
            updated_at=row.updated_at,
        )  # fmt: skip

    @strawberry.field
    async def loyalty(self, info: Info) -> Account | None:
        """Points."""
        found = await info.context["accounts"].load(UUID(self.id))
        return Account(balance=found[0].balance) if found else None

    @strawberry.field
    async def tier(self, info: Info) -> Tier | None:
        """The tier."""
        found = await info.context["tiers"].load(UUID(self.id))
        return Tier(code=found[0].code, since=found[0].since) if found else None

    @strawberry.field
    async def segments(self, info: Info) -> list[Segment]:
        """The segments."""
        found = await info.context["segments"].load(UUID(self.id))
        return [Segment(name=each.name) for each in found]

    @strawberry.field
    async def warnings(self, info: Info) -> list[Warning]:
        """Open warnings."""
        found = await info.context["warnings"].load(UUID(self.id))
        return [
            Warning(rule=each.rule, severity=each.severity, raised_at=each.raised_at)
            for each in found
            if each.is_open
        ]

    @strawberry.field
    async def transactions(self, info: Info, first: int) -> list[Transaction]:
        """The latest sales."""
        found = await info.context["transactions"].load((UUID(self.id), first))
        return [Transaction.marshal(each) for each in found]


@strawberry.input
class LineInput:
    """A line of a sale."""

    sku: str
    description: str | None
    category: str
    quantity: str
    unit_price: str


@strawberry.input
class SaleInput:
    """A sale."""

    source: str
    external_id: str
    occurred_at: datetime
    currency: str
    store: str
    customer: str
    lines: list[LineInput]


@strawberry.type
class SaleAnswer:
    """What became of a sale."""

    outcome: str
    id: ID
    total_minor: int
    currency: str
    balance: int


@strawberry.type
class Query:
    """What can be asked."""

    @strawberry.field
    async def customer(self, info: Info, id: ID) -> Customer | None:
        """One customer."""
        statement = select(rows.Customer).where(rows.Customer.id == UUID(id))
        found = await info.context["rows"].all(statement)
        return Customer.marshal(found[0]) if found else None

    @strawberry.field
    async def customers(
        self, info: Info, first: int, after_created_at: datetime, after_id: ID
    ) -> list[Customer]:
        """A page of customers."""
        found = await info.context["rows"].page(first, after_created_at, UUID(after_id))
        return [Customer.marshal(each) for each in found]


@strawberry.type
class Mutation:
    """What can be done."""

    @strawberry.mutation
    async def record_sale(self, info: Info, sale: SaleInput) -> SaleAnswer:
        """Record a sale."""
        async with info.context["rows"].writing() as session:
            return SaleAnswer(**await record(session, sale))


class Application(GraphQL[Any, Any]):
    """The schema with loaders for each request."""

    def __init__(self, held: Rows) -> None:
        super().__init__(strawberry.Schema(query=Query, mutation=Mutation))
        self._rows = held

    async def get_context(self, request: Any, response: Any) -> Any:
        """Return the loaders of a request."""
        of = self._rows.by_customer
        return {
            "rows": self._rows,
            "accounts": DataLoader(load_fn=partial(of, rows.Account)),
            "tiers": DataLoader(load_fn=partial(of, rows.Tier)),
            "segments": DataLoader(load_fn=self._rows.segments),
            "warnings": DataLoader(load_fn=self._warnings),
            "transactions": DataLoader(load_fn=self._rows.transactions),
            "lines": DataLoader(load_fn=self._rows.lines),
        }

    async def _warnings(self, keys: list[UUID]) -> list[list[Any]]:
        order = (rows.Warning.raised_at.desc(), rows.Warning.id)
        return await self._rows.by_customer(rows.Warning, keys, *order)


if __name__ == "__main__":
    serve(Application(Rows(*sys.argv[1:3])), int(sys.argv[3]))
