"""A shop to ask about, and ways to ask."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from crmkit import Actor, AddressInput, ContactInput, Crm, CustomerInput, InteractionInput
from crmkit.testing import NOON, sale
from crmkit_schema.requests import GraphQLAnswer, GraphQLRequest
from crmkit_schema.runtime import ComposedSchema

Ask = Callable[..., dict[str, Any]]


class Api:
    """A schema with somebody who asks; everything is allowed unless said otherwise."""

    def __init__(self, crm: Crm) -> None:
        self.crm = crm
        self.schema = ComposedSchema(crm)
        self.everything = frozenset(crm.registry.permissions)

    def answer(
        self,
        query: str,
        *,
        allowed: frozenset[str] | None = None,
        operation: str | None = None,
        **variables: Any,
    ) -> GraphQLAnswer:
        actor = Actor("tester", "test", self.everything if allowed is None else allowed)
        return self.schema.execute(GraphQLRequest(query, variables, operation), actor)

    def __call__(self, query: str, **options: Any) -> Any:
        """Return the data of an answer that must have no errors."""
        answer = self.answer(query, **options)
        assert answer.errors == []
        return answer.data

    def error(self, query: str, **options: Any) -> dict[str, Any]:
        """Return the one error of an answer."""
        answer = self.answer(query, **options)
        assert len(answer.errors) == 1, answer.errors
        return answer.errors[0]

    def code(self, query: str, **options: Any) -> str:
        """Return the code of the first error."""
        errors = self.answer(query, **options).errors
        assert errors, "no error"
        return str(errors[0]["extensions"]["code"])


@pytest.fixture
def api(crm: Crm) -> Api:
    """Give core's schema on an empty database."""
    return Api(crm)


@pytest.fixture
def shop(crm: Crm) -> Api:
    """Give core's schema with three customers, five transactions and two interactions."""
    stock(crm, customers=3)
    return Api(crm)


def stock(crm: Crm, customers: int, sales: int = 2, lines: int = 2) -> None:
    """Fill a shop: the first `customers` numbers, each with sales of as many lines."""
    crm.upsert_customers([customer(number) for number in range(1, customers + 1)])
    crm.record_transactions(
        [
            sale(
                f"{number}-{position}",
                *((f"sku{line}", line, f"{number}.50") for line in range(1, lines + 1)),
                customer=str(number),
                occurred_at=NOON - timedelta(hours=position, minutes=number),
                store=f"store{number % 3}",
            )
            for number in range(1, customers + 1)
            for position in range(1, sales + 1)
        ]
    )
    crm.record_interactions(
        [
            InteractionInput(
                "till", f"i{number}", NOON, "review", customer=ref(number), rating=number % 5 + 1
            )
            for number in range(1, customers + 1)
        ]
    )


def customer(number: int) -> CustomerInput:
    """Return a customer with one of everything."""
    return CustomerInput(
        "till",
        str(number),
        display_name=f"Customer {number:03}",
        birth_on=f"19{number % 90 + 10}-05-01",
        gender=("female", "male", None)[number % 3],
        contact_points=[ContactInput("email", f"c{number}@example.com", is_primary=True)],
        addresses=[AddressInput(city=f"City {number % 4}")],
        tags=["regular", f"group{number % 2}"],
    )


def ref(number: int) -> Any:
    """Return a reference to a customer of `stock`."""
    from crmkit import CustomerRef

    return CustomerRef(external_id=str(number))


@contextmanager
def counting(crm: Crm) -> Iterator[list[str]]:
    """Collect the SQL statements that run inside the block."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    engines = {crm.database._reader.engine, crm.database.writer.engine}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)
