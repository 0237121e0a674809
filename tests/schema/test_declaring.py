"""Every way of declaring a field, each by a plugin of a few lines."""

from typing import Any

import pytest
import strawberry
from sqlalchemy import Integer, func, select

from crmkit import Refused, SchemaContribution, models, table_of
from crmkit_schema import (
    Codec,
    Connection,
    Customer,
    Key,
    Money,
    bound,
    computed,
    connection,
    found_by,
    mapped,
    money,
    mutation,
    object_type,
    problem_type,
    related,
    resolved,
    value_type,
)

SHOUT = Codec("shout", lambda value: value.upper())


@object_type(models.Transaction, permission="extra.read", sorted_by=("-occurred_at", "-id"))
class Visit:
    """A visit to a shop."""

    shop: str | None = mapped("Where.", column="store", filter=True)
    loud: str = mapped("Who says so.", column="source", codec=SHOUT)
    letters: int = mapped("Of the number.", sql=lambda rows: func.length(
        rows.c.external_id, type_=Integer()),
                          filter=True, sort=True)  # fmt: skip
    spent: Money = money("What was spent.", minor="total_minor")
    home: str = mapped("The home currency.", sql=lambda _rows: bound("home_currency"))


def same_shop(rows: Any) -> Any:
    return rows.c.external_id.like("%-1")


def shared(parents: Any, context: Any, *, factor: int = 2, note: str | None = None) -> list[str]:
    return [
        f"{note or context.crm.settings.currency}{each.birth_on.year * factor}" for each in parents
    ]


@strawberry.type
class CustomerVisits:
    """What customers get."""

    visits: Connection[Visit] = connection("All visits.", child="customer_id")
    recent: list[Visit] = related("The last one.", child="customer_id", limit=1)
    oldest: list[Visit] = related("By time.", child="customer_id", order=("occurred_at", "id"))
    first_of: list[Visit] = related("Those that end so.", child="customer_id", where=same_shop)
    latest: Visit | None = related("The last one.", child="customer_id")
    shared: str | None = computed("Made up.", shared, needs=("birth_on",), permission="extra.read")


def by_number(rows: Any, value: Any) -> Any:
    return rows.c.external_id == value


class TooMany(Refused):
    """More than there are."""

    code = "TOO_MANY"

    def __init__(self, asked: int) -> None:
        self.asked = asked
        super().__init__(f"{asked} are too many")


@problem_type(TooMany)
class TooManyProblem:
    """More than there are."""

    asked: int = strawberry.field(description="How many were asked for.")


@value_type
class Done:
    """It was done."""

    count: int = strawberry.field(description="How many.")


@value_type
class Postponed:
    """It was not done yet."""

    until: str = strawberry.field(description="When it will be.")


@strawberry.type
class Roots:
    """Root fields."""

    visit: Visit | None = found_by("One visit.", number=Key(str, "Its number.", by_number))
    visits: Connection[Visit] = connection("All visits.")

    @resolved("Greets.", permission="extra.read")
    def greeting(self, name: str = "you") -> str:
        return f"hello {name}"


@strawberry.type
class Writes:
    """Mutations."""

    @mutation("Does it.", permission="extra.read", problems=(TooManyProblem,))
    def do_it(self, count: int) -> Done:
        if count > 9:
            raise TooMany(count)
        if count < 0:
            raise Refused("not that way")
        return Done(count=count)

    @mutation("Does it now or later.", permission="extra.read")
    def do_it_sometime(self, count: int) -> Done | Postponed:
        return Done(count=count) if count < 3 else Postponed(until="Monday")


@object_type(models.CustomerAddress, permission="extra.read", sorted_by=("id",), node="adr")
class Place:
    """Where somebody lives."""

    city: str | None = mapped("The town.")
    dweller: Customer | None = related("Who lives there.", parent="customer_id")


@pytest.fixture
def api(api_with: Any) -> Any:
    contribution = SchemaContribution(
        queries=(Roots,), mutations=(Writes,), extends={"Customer": CustomerVisits}, types=(Place,)
    )
    return api_with(contribution, "extra.read")


def first(api: Any, fields: str) -> Any:
    query = f'{{ customer(externalId: {{source: "till", externalId: "1"}}) {{ {fields} }} }}'
    return api(query)["customer"]


def test_columns_expressions_codecs_money_and_values_of_the_request(api: Any) -> None:
    (visit,) = first(api, "recent { shop loud letters spent { amount currency } home }")["recent"]

    assert visit == {
        "shop": "store1", "loud": "TILL", "letters": 3, "home": "CNY",
        "spent": {"amount": "4.50", "currency": "CNY"},
    }  # fmt: skip


def test_related_rows_have_order_limit_and_condition(api: Any) -> None:
    found = api(
        "{ customers { nodes { recent { spent { minor } } oldest { letters } firstOf { letters } "
        "latest { spent { minor } } } } }"
    )["customers"]["nodes"]

    assert [len(each["recent"]) for each in found] == [1, 1, 1]
    assert [len(each["oldest"]) for each in found] == [2, 2, 2]
    assert [len(each["firstOf"]) for each in found] == [1, 1, 1]
    assert [each["latest"] for each in found] == [each["recent"][0] for each in found]


def test_a_row_of_several_is_fetched_without_the_others(
    api: Any, statements: Any, stock: Any
) -> None:
    stock(api.crm, 3, sales=30)
    with statements(api.crm) as found:
        api("{ customers { nodes { latest { shop } } } }")

    assert "LIMIT" in found[-1]


def test_a_computed_field_takes_arguments_and_what_it_needs(api: Any) -> None:
    made = first(api, 'a: shared b: shared(factor: 1, note: "year ") c: shared(note: null)')

    assert made == {"a": "CNY3822", "b": "year 1911", "c": "CNY3822"}


def test_a_connection_of_a_plugin_is_filtered_sorted_and_counted(api: Any) -> None:
    page = api(
        '{ visits(filter: {shop: {eq: "store1"}, letters: {gte: 3}}, orderBy: {field: LETTERS}) '
        "{ totalCount edges { cursor node { shop } } } }"
    )["visits"]

    assert page["totalCount"] == 2
    assert [each["node"]["shop"] for each in page["edges"]] == ["store1"] * 2


def test_a_root_row_is_found_by_its_key(api: Any) -> None:
    assert api('{ visit(number: "2-1") { shop } }') == {"visit": {"shop": "store2"}}
    assert api('{ visit(number: "nobody") { shop } }') == {"visit": None}
    assert api.codes("{ visit { shop } }") == ["BAD_USER_INPUT"]


def test_a_resolved_field_is_a_python_function(api: Any) -> None:
    assert api('{ greeting(name: "Bo") a: greeting }') == {"greeting": "hello Bo", "a": "hello you"}


@pytest.mark.parametrize(
    ("count", "answer"),
    [
        (3, {"__typename": "Done", "count": 3}),
        (10, {"__typename": "TooManyProblem", "code": "TOO_MANY", "asked": 10}),
        (-1, {"__typename": "RefusedProblem", "code": "REFUSED"}),
    ],
)
def test_a_mutation_answers_with_success_or_a_typed_problem(
    api: Any, count: int, answer: Any
) -> None:
    found = api(
        "mutation($count: Int!) { doIt(count: $count) { __typename ... on Done { count }"
        " ... on Problem { code } ... on TooManyProblem { asked } } }",
        count=count,
    )["doIt"]

    assert found == answer


@pytest.mark.parametrize(
    ("count", "answer"),
    [
        (2, {"__typename": "Done", "count": 2}),
        (3, {"__typename": "Postponed", "until": "Monday"}),
    ],
)
def test_a_mutation_may_succeed_in_several_ways(api: Any, count: int, answer: Any) -> None:
    found = api(
        "mutation($count: Int!) { doItSometime(count: $count) { __typename"
        " ... on Done { count } ... on Postponed { until } ... on Problem { code } } }",
        count=count,
    )["doItSometime"]

    assert found == answer


def test_a_node_of_a_plugin_is_found_by_its_id(api: Any) -> None:
    with api.crm.read() as session:
        row = session.connection().execute(select(table_of(models.CustomerAddress))).first()

    found = api(
        "query($id: ID!) { node(id: $id) { id ... on Place { city dweller { displayName } } } }",
        id=f"adr_{row.id.hex}",
    )["node"]

    assert found["id"] == f"adr_{row.id.hex}"
    assert found["dweller"]["displayName"].startswith("Customer")


def test_modules_tell_what_a_plugin_contributes(api: Any) -> None:
    listed = api("{ modules { plugins { name schema } } }")["modules"]["plugins"]

    extra = next(each for each in listed if each["name"] == "extra")
    assert {"Customer.visits", "Query.visit", "Mutation.doIt", "Place", "Visit"} <= set(
        extra["schema"]
    )
