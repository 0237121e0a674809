"""Values of every kind of column, as Python writes them."""

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
import strawberry
from graphql import get_operation_ast
from sqlmodel import Field, SQLModel
from tests.schema.conftest import Api, Inline

from crmkit import Actor, Migration, SchemaContribution, hookimpl, table_of
from crmkit.testing import CrmFactory
from crmkit_schema import PUBLIC, Codec, Connection, connection, mapped, object_type, resolved
from crmkit_schema.requests import GraphQLRequest

FLOATS = [
    0.0, 1.0, -2.5, 0.1, 0.1 + 0.2, 1 / 3, 2 / 7, 1e14, 1e15, 1e16, 123456789012345.6,
    1e-4, 1e-5, 5e-324, 1.7976931348623157e308, 2.2250738585072014e-308, 9007199254740993.0,
    3.141592653589793, 100.0 / 7.0, 1e22, 1e23,
]  # fmt: skip


AT = datetime.fromisoformat("2026-01-02T03:00:00")


class Marks(sa.TypeDecorator[str]):
    """Text with a mark that only Python knows."""

    impl = sa.String
    cache_ok = True

    def process_result_value(self, value: Any, _dialect: Any) -> Any:
        return None if value is None else f"<{value}>"


class Oddity(SQLModel, table=True):
    """A row of every type."""

    __tablename__ = "extra_oddity"

    id: int = Field(primary_key=True)
    number: float = Field(sa_type=sa.Double)
    price: Decimal = Field(sa_type=sa.Numeric(12, 4))
    at: datetime = Field(sa_type=sa.DateTime)
    hour: time = Field(sa_type=sa.Time)
    word: str = Field(sa_type=Marks)
    blob: bytes = Field(sa_type=sa.LargeBinary)


@object_type(Oddity, permission=PUBLIC, sorted_by=("id",), name="Oddity")
class OddityType:
    """A row of every type."""

    id: int = mapped("Its number.")
    number: float = mapped("A float.")
    whole: float = mapped("A float of a whole column.", column="id")
    price: Decimal = mapped("A decimal.")
    hour: time = mapped("A time.")
    word: str = mapped("Marked.")
    loud: str = mapped("By a codec.", column="word", codec=Codec("loud", str.upper))
    blob: str = mapped("Bytes.", codec=Codec("hex", bytes.hex))
    day: date = mapped("A day.", column="at", codec=Codec("day", lambda at: at.date()))

    @resolved("Everything at once.", permission=PUBLIC)
    def summary(self, times: int = 1) -> str:
        return f"{self.id} {self.number!r} {self.price} {self.hour} {self.word}" * times


@strawberry.type
class Queries:
    oddities: Connection[OddityType] = connection("All.", permission=PUBLIC)


class Odd(Inline):
    """A plugin with a table of odd types."""

    @hookimpl
    def register_models(self) -> Sequence[type[SQLModel]]:
        return [Oddity]

    @hookimpl
    def register_migrations(self) -> Sequence[Migration]:
        table = table_of(Oddity)
        return [
            Migration(
                "1", lambda op: table.create(op.get_bind()), lambda op: table.drop(op.get_bind())
            )
        ]


@pytest.fixture
def odd(crm_factory: CrmFactory) -> Api:
    crm = crm_factory(Odd("extra", SchemaContribution(queries=(Queries,)), ()))
    rows = [
        {
            "id": at, "number": number, "price": Decimal("12.3400"), "at": AT,
            "hour": time(9, 30, 0, 250_000), "word": "tea", "blob": b"\x00\xff",
        }
        for at, number in enumerate(FLOATS, 1)
    ]  # fmt: skip
    crm.write(lambda session: session.execute(sa.insert(table_of(Oddity)), rows))
    return Api(crm)


def test_floats_are_the_numbers_that_are_stored(odd: Api) -> None:
    nodes = odd("{ oddities(first: 100) { nodes { number } } }")["oddities"]["nodes"]

    assert [repr(each["number"]) for each in nodes] == [repr(each) for each in FLOATS]
    assert odd.schema.plans.left == 0


def test_columns_of_every_type_are_answered_by_plan(odd: Api) -> None:
    query = """{ oddities(first: 3) { nodes { id whole price hour word loud blob day summary
        twice: summary(times: 2) } } }"""
    planned = odd.answer(query)
    document = odd.schema.documents.read(query)
    assert not isinstance(document, list)
    operation = get_operation_ast(document.node)
    assert operation is not None
    actor = Actor("tester", "test", odd.everything)
    request = GraphQLRequest(query)
    expected = odd.schema.by_reference(document.node, operation, request, actor)

    assert expected.errors == planned.errors == []
    assert planned.data == expected.data
    assert odd.schema.plans.left == 0
