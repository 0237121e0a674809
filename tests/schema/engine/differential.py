"""Comparing plans with the reference executor, on random queries over every built-in plugin."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import orjson
from graphql import get_operation_ast
from sqlalchemy import event
from tests.schema.engine.documents import Documents

from crmkit import (
    Actor,
    ContactInput,
    Crm,
    CustomerInput,
    CustomerRef,
    InteractionInput,
    LineInput,
)
from crmkit.testing import NOON, sale
from crmkit_schema.requests import GraphQLAnswer, GraphQLRequest
from crmkit_schema.runtime import ComposedSchema

NAMES = [
    "Ann",
    "Ann",
    "名 🎈",
    'quo"te \\ back',
    "line\nbreak\ttab \x01 \x1f \x7f",
    "",
    "Zoë %s %(a)s",
]


def fill(crm: Crm) -> None:
    """Fill a shop with what is easily written wrongly."""
    crm.upsert_customers([_customer(at, name) for at, name in enumerate(NAMES, 1)])
    for position, kind in enumerate(("sale", "sale", "sale", "return", "sale")):
        crm.record_transactions(
            [
                _receipt(at, position, kind)
                for at in range(1, len(NAMES))
                if at % 3 < position or at < 3
            ]
        )
    crm.record_transactions([sale("anonymous", customer=None)])
    crm.record_interactions(
        [
            InteractionInput(
                "till",
                f"i{at}",
                NOON - timedelta(days=at),
                "search" if at % 2 else "review",
                CustomerRef(external_id=str(at)),
                rating=None if at % 2 else at % 5 + 1,
                payload={"query": NAMES[at], "results": at} if at % 2 else None,
            )
            for at in range(1, len(NAMES))
        ]
    )


def _customer(at: int, name: str) -> CustomerInput:
    return CustomerInput(
        "till",
        str(at),
        display_name=name or None,
        family_name=None if at % 3 == 0 else f"Family{at % 3}",
        birth_on=None if at % 4 == 0 else f"19{at + 70}-02-28",
        gender=("female", None, "other")[at % 3],
        contact_points=[
            ContactInput("email", f"c{at}@example.com"),
            ContactInput("phone", "+8613800138000"),
        ][: at % 3],
        tags=["regular", f"group{at % 2}"][: at % 3],
    )


def _receipt(at: int, position: int, kind: str) -> Any:
    currency = ("CNY", "JPY", "KWD", "CNY")[(at + position) % 4]
    price = ("12.34", "7", "0.125", "0.05")[(at + position) % 4]
    sign = "-" if kind == "return" else ""
    lines = [
        LineInput(f"sku{line}", f"{sign}{line}.5" if currency == "CNY" else f"{sign}{line}", price,
                  category=None if line == 2 else "tea")
        for line in range(1, 4)
    ]  # fmt: skip
    return sale(
        f"{at}-{position}",
        *lines,
        kind=kind,
        customer=str(at),
        currency=currency,
        occurred_at=NOON - timedelta(hours=position // 2, microseconds=120_000 * (at % 3)),
        store=f"store{at % 3}" if at % 2 else None,
    )


def values_of(schema: ComposedSchema, actor: Actor) -> dict[str, Sequence[Any]]:
    """Return what arguments may be, from what is stored."""
    data = _ask(schema, actor, "{ customers(first: 50) { nodes { id } } transactions(first: 50)"
                " { nodes { id externalId } } }")  # fmt: skip
    customers, sales = ([each["id"] for each in data[name]["nodes"]] for name in data)
    receipts = [each["externalId"] for each in data["transactions"]["nodes"]]
    found: dict[str, Sequence[Any]] = {
        "customer id": [*customers, *customers, "cus_" + "0" * 32, sales[0], "nonsense"],
        "transaction id": [*sales, *sales, "txn_" + "0" * 32],
        "source String": [*["till"] * 9, "elsewhere"],
        "externalId String": [*receipts, *"123456" * 3, "none"],
        "email String": ["c1@example.com", "C3@example.com", "nobody@example.com", "x"],
        "phone String": ["+8613800138000", "x"],
        "String": [*NAMES, "till", "store1", "sku1", "CNY", "A", "Family1", "%"],
        "Int": [0, 1, 2, 3, -1, 100],
        "Long": [0, 1, 100, 2**40, -5],
        "Boolean": [True, False],
        "DateTime": [NOON.isoformat(), "2026-06-15T03:59:59.760Z", "1999-01-01T00:00:00+08:00"],
        "Date": ["1971-02-28", "2026-06-15"],
        "times Int": [0, 1, 2],
    }
    for name, order in (
        ("customers", ""),
        ("customers", "{field: DISPLAY_NAME, direction: ASC}"),
        ("transactions", ""),
        ("interactions", ""),
    ):
        argument = f"(orderBy: {order})" if order else ""
        page = _ask(schema, actor, f"{{ {name}{argument} {{ __typename edges {{ cursor }} }} }}")
        cursors = [each["cursor"] for each in page[name]["edges"]]
        found[f"cursor {page[name]['__typename']} {order}"] = [*cursors, "00", cursors[0][:-2]]
    days = _ask(schema, actor, "{ customers { nodes { extras { days { edges { cursor } } } } } }")
    found["cursor ExtrasDayConnection "] = [
        edge["cursor"] for each in days["customers"]["nodes"]
        for edge in each["extras"]["days"]["edges"]
    ]  # fmt: skip
    return found


def _ask(schema: ComposedSchema, actor: Actor, query: str) -> Any:
    answer = by_reference(schema, GraphQLRequest(query), actor)
    assert answer.errors == []
    return answer.data


@dataclass
class Differential:
    """One run of comparisons.

    Attributes:
        reasons: why operations were left to the reference executor, with how often.
        statements: how many statements plans took.
    """

    schema: ComposedSchema
    actor: Actor
    rng: Random
    covered: int = 0
    compared: int = 0
    statements: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def run(self, count: int, each: int = 4) -> None:
        """Compare operations, some of the same document with other variables.

        Raises:
            AssertionError: a plan gave something else than the reference executor.
        """
        documents = Documents(
            self.schema.schema._schema, self.rng, values_of(self.schema, self.actor)
        )
        counting = self._count_statements()
        while self.compared < count:
            query, variables = documents.draw()
            if isinstance(self.schema.documents.read(query), list):
                continue  # fragments or merged fields that contradict each other
            values = {name: value for name, (_, value) in variables.items()}
            for _ in range(min(each if variables else 1, count - self.compared)):
                self.compare(GraphQLRequest(query, values))
                values = documents.redraw(variables)
        counting()

    def compare(self, request: GraphQLRequest) -> None:
        """Compare one operation."""
        self.compared += 1
        before = self.statements
        answer, reason = self._planned(request)
        taken = self.statements - before
        if answer is None:
            self.reasons[reason] += 1
            return
        self.covered += 1
        expected = by_reference(self.schema, request, self.actor)
        told = f"\n{request.query}\n{request.variables}\n{answer.text}"
        assert is_json(answer.text), told
        assert expected.errors == [], f"the plan saw no error:{told}\n{expected.errors}"
        assert ordered(answer.data) == ordered(expected.data), told
        assert taken == 1, f"{taken} statements:{told}"

    def _planned(self, request: GraphQLRequest) -> tuple[Any, str]:
        document, operation = parsed(self.schema, request)
        plans = self.schema.plans
        try:
            return plans.attempt(document, operation, request, self.actor), ""
        except Exception as error:
            return None, f"{type(error).__name__}: {error}"[:90]

    def _count_statements(self) -> Callable[[], None]:
        with self.schema.crm.read() as session:
            engines = [session.connection().engine]
        with self.schema.crm.database.read_once() as connection:
            engines.append(connection.engine)

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            self.statements += statement.startswith(("SELECT", "WITH"))

        for each in engines:
            event.listen(each, "before_cursor_execute", note)

        def stop() -> None:
            for each in engines:
                event.remove(each, "before_cursor_execute", note)

        return stop


def parsed(schema: ComposedSchema, request: GraphQLRequest) -> Any:
    """Return the document of a request and its operation."""
    document = schema.documents.read(request.query)
    assert not isinstance(document, list)
    return document.node, get_operation_ast(document.node)


def by_reference(schema: ComposedSchema, request: GraphQLRequest, actor: Actor) -> GraphQLAnswer:
    """Return what the reference executor answers."""
    document, operation = parsed(schema, request)
    return schema.by_reference(document, operation, request, actor)


def is_json(text: str | bytes) -> bool:
    """Tell whether a text is JSON."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def ordered(value: Any) -> Any:
    """Return JSON as values that are equal only if keys, order and types are.

    Numbers are what JSON makes of them: 3 and 3.0 are one.
    """
    if isinstance(value, dict):
        return ("object", [(key, ordered(each)) for key, each in value.items()])
    if isinstance(value, list):
        return ("list", [ordered(each) for each in value])
    return (bool, value) if isinstance(value, bool) else value
