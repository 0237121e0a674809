"""What the strawberry peer reads: SQLAlchemy's ORM over crmkit's own tables."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, literal, select, tuple_
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, aliased
from sqlmodel import SQLModel
from tests.benchmarks.serving import stand_ins

import crmkit_loyalty.models as points
from crmkit import models, table_of


class Base(DeclarativeBase):
    """Classes of its own, so that nothing of crmkit runs when rows are loaded."""


def _class(name: str, model: type[SQLModel]) -> Any:
    return type(name, (Base,), {"__table__": table_of(model)})


Customer = _class("Customer", models.Customer)
Transaction = _class("Transaction", models.Transaction)
Line = _class("Line", models.TransactionLine)
Account = _class("Account", points.LoyaltyAccount)
Entry = _class("Entry", points.LedgerEntry)
Lot = _class("Lot", points.Lot)
Metrics = _class("Metrics", models.CustomerMetrics)
Day = _class("Day", models.CustomerDay)
Category = _class("Category", models.CustomerCategoryMetrics)
Store = _class("Store", models.CustomerStoreMetrics)
Tier = _class("Tier", stand_ins.Tier)
Segment = _class("Segment", stand_ins.Segment)
Membership = _class("Membership", stand_ins.Membership)
Warning = _class("Warning", stand_ins.Warning)


class Rows:
    """Everything the schema asks the database for, a session for each statement."""

    def __init__(self, dialect: str, database: str) -> None:
        if dialect == "sqlite":
            engine = create_async_engine(f"sqlite+aiosqlite:///{database}", pool_size=8)
        else:
            url = make_url(database).set(drivername="postgresql+asyncpg")
            engine = create_async_engine(url, pool_size=8, max_overflow=8)
        self._session = async_sessionmaker(engine, expire_on_commit=False)
        self._turn = asyncio.Lock() if dialect == "sqlite" else nullcontext()

    async def all(self, statement: Any) -> Sequence[Any]:
        """Return the objects a statement selects."""
        async with self._session() as session:
            return (await session.scalars(statement)).all()

    async def by_customer(self, model: Any, keys: Sequence[UUID], *order: Any) -> list[list[Any]]:
        """Return the objects of each customer."""
        statement = select(model).where(model.customer_id.in_(keys)).order_by(*order)
        found: dict[UUID, list[Any]] = {key: [] for key in keys}
        for each in await self.all(statement):
            found[each.customer_id].append(each)
        return [found[key] for key in keys]

    async def segments(self, keys: Sequence[UUID]) -> list[list[Any]]:
        """Return the segments of each customer."""
        statement = select(Membership.customer_id, Segment).join(
            Segment, Segment.id == Membership.segment_id
        )
        statement = statement.where(Membership.customer_id.in_(keys)).order_by(Segment.id)
        found: dict[UUID, list[Any]] = {key: [] for key in keys}
        async with self._session() as session:
            for customer, segment in await session.execute(statement):
                found[customer].append(segment)
        return [found[key] for key in keys]

    async def transactions(self, keys: Sequence[tuple[UUID, int]]) -> list[list[Any]]:
        """Return the latest transactions of each customer, as many as each key says."""
        customers, most = {key[0] for key in keys}, max(key[1] for key in keys)
        order = (Transaction.occurred_at.desc(), Transaction.id.desc())
        place = func.row_number().over(partition_by=Transaction.customer_id, order_by=order)
        ranked = (
            select(Transaction, place.label("place"))
            .where(Transaction.customer_id.in_(customers))
            .subquery()
        )
        one = aliased(Transaction, ranked)
        statement = select(one).where(ranked.c.place <= most).order_by(ranked.c.place)
        found: dict[UUID, list[Any]] = {each: [] for each in customers}
        for each in await self.all(statement):
            found[each.customer_id].append(each)
        return [found[customer][:first] for customer, first in keys]

    async def lines(self, keys: Sequence[UUID]) -> list[list[Any]]:
        """Return the lines of each transaction."""
        statement = select(Line).where(Line.transaction_id.in_(keys)).order_by(Line.position)
        found: dict[UUID, list[Any]] = {key: [] for key in keys}
        for each in await self.all(statement):
            found[each.transaction_id].append(each)
        return [found[key] for key in keys]

    async def page(self, first: int, created_at: datetime, id_: UUID) -> Sequence[Any]:
        """Return the customers behind one, latest first."""
        place = literal(created_at, Customer.created_at.type), literal(id_, Customer.id.type)
        before = tuple_(Customer.created_at, Customer.id) < tuple_(*place)
        order = (Customer.created_at.desc(), Customer.id.desc())
        return await self.all(select(Customer).where(before).order_by(*order).limit(first))

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """Open a session that commits at the end; on SQLite one after the other."""
        async with self._turn, self._session.begin() as session:
            yield session
