"""A shop to ask about, ways to ask, and plugins of a few lines."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from crmkit import (
    Actor,
    AddressInput,
    ContactInput,
    Crm,
    CustomerInput,
    CustomerRef,
    InteractionInput,
    Permission,
    Plugin,
    SchemaContribution,
    hookimpl,
)
from crmkit.testing import NOON, CrmFactory, sale
from crmkit_schema.requests import GraphQLAnswer, GraphQLRequest
from crmkit_schema.runtime import ComposedSchema


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
        without: Sequence[str] = (),
        operation: str | None = None,
        **variables: Any,
    ) -> GraphQLAnswer:
        """Return the answer to a caller who lacks the permissions in `without`."""
        actor = Actor("tester", "test", self.everything - set(without))
        return self.schema.execute(GraphQLRequest(query, variables, operation), actor)

    def __call__(self, query: str, **options: Any) -> Any:
        """Return the data of an answer that must have no errors."""
        answer = self.answer(query, **options)
        assert answer.errors == []
        return answer.data

    def codes(self, query: str, **options: Any) -> list[str]:
        """Return the codes of the errors, in order."""
        return [each["extensions"]["code"] for each in self.answer(query, **options).errors]


class Inline:
    """A plugin that only contributes to the schema."""

    def __init__(self, name: str, contribution: Any, permissions: Sequence[str]) -> None:
        self.plugin = Plugin(
            name=name,
            version="1",
            summary="For a test.",
            permissions=[Permission(each, "For a test.") for each in permissions],
        )
        self._contribution = contribution

    @hookimpl
    def register_graphql(self) -> Any:
        return self._contribution


@pytest.fixture
def api(crm: Crm) -> Api:
    """Give core's schema on an empty database."""
    return Api(crm)


@pytest.fixture
def api_with(crm_factory: CrmFactory) -> Callable[..., Api]:
    """Give a function that makes a schema with one inline plugin, and three customers."""

    def make(contribution: SchemaContribution, *permissions: str, **settings: Any) -> Api:
        crm = crm_factory(Inline("extra", contribution, permissions), **settings)
        fill(crm, 3)
        return Api(crm)

    return make


@pytest.fixture
def inline() -> type[Inline]:
    """Give the class of plugins of a few lines."""
    return Inline


@pytest.fixture
def shop(crm: Crm) -> Api:
    """Give core's schema with three customers, each with two sales of two lines."""
    fill(crm, 3)
    return Api(crm)


@pytest.fixture
def stock() -> Callable[..., None]:
    """Give the function that fills a database."""
    return fill


@pytest.fixture
def statements() -> Callable[[Crm], AbstractContextManager[list[str]]]:
    """Give a context manager that collects the SQL that runs inside it."""
    return collecting


def fill(crm: Crm, customers: int, sales: int = 2, lines: int = 2) -> None:
    """Fill a shop: customers "1", "2" and so on, with equally many sales of equally many lines."""
    numbers = range(1, customers + 1)
    crm.upsert_customers([_customer(number) for number in numbers])
    crm.record_transactions(
        [
            sale(
                f"{number}-{position}",
                *((f"sku{line}", line, f"{number}.50") for line in range(1, lines + 1)),
                customer=str(number),
                occurred_at=NOON - timedelta(hours=position, minutes=number // 2),
                store=f"store{number % 3}",
            )
            for number in numbers
            for position in range(1, sales + 1)
        ]
    )
    crm.record_interactions([_review(number) for number in numbers])


def _customer(number: int) -> CustomerInput:
    return CustomerInput(
        "till",
        str(number),
        display_name=f"Customer {number // 2:03}",
        family_name=None if number % 3 == 0 else f"Family{number % 3}",
        birth_on=f"19{number % 90 + 10}-05-01",
        gender=("female", "male", None)[number % 3],
        contact_points=[ContactInput("email", f"c{number}@example.com", is_primary=True)],
        addresses=[AddressInput(city=f"City {number % 4}")],
        tags=["regular", f"group{number % 2}"],
    )


def _review(number: int) -> InteractionInput:
    who = CustomerRef(external_id=str(number))
    return InteractionInput("till", f"i{number}", NOON, "review", who, rating=number % 5 + 1)


@contextmanager
def collecting(crm: Crm) -> Iterator[list[str]]:
    """Collect the SQL statements that run inside the block."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith(("SELECT", "WITH", "INSERT", "UPDATE")):  # not what drivers ask
            found.append(statement)

    writer, reader, once = crm.database.engines
    # On PostgreSQL sessions share the engine of writes.
    engines = [writer, reader, once] if crm.database.dialect == "sqlite" else [writer, once]
    for each in engines:
        event.listen(each, "before_cursor_execute", note)
    try:
        yield found
    finally:
        for each in engines:
            event.remove(each, "before_cursor_execute", note)


@pytest.fixture
def api_of() -> type[Api]:
    """Give the class of schemas with somebody who asks."""
    return Api
