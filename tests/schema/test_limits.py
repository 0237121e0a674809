"""Every limit of documents lets the last good one through, and names by its code what passed it."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from crmkit import Settings
from crmkit.document_settings import DocumentLimits
from crmkit.testing import CrmFactory
from crmkit_schema.document_reader import DIGITS_MAX

LENIENT = dict.fromkeys(DocumentLimits.model_fields, 10_000)
PATH = ("customers(first: 1)", "nodes", "transactions(first: 1)", "nodes", "customer", "metrics")
UPSERT = "($rows: [CustomerInput!]!) { upsertCustomers(input: {customers: $rows})"
DIRECTIVES = ("@skip(if: false)", "@include(if: true)")
DEEP = "{ customers(PAGE) { nodes { transactions(PAGE) { nodes { lines(PAGE) { nodes { sku }}}}}}}"
SHALLOW = "{ customers(PAGE) { nodes { transactions(PAGE) { totalCount } } } }"


def paged(query: str, page: str, default: str) -> str:
    head = f"query ($n: Int{default}) " if "$n" in page else ""
    return head + query.replace("PAGE", page)


def names(count: int) -> str:
    return "{ " + "__typename " * count + "}"


def levels(count: int) -> str:
    return "".join(f"{{ {each} " for each in PATH[: count - 1]) + "{ __typename" + " }" * count


def rows(count: int) -> dict[str, Any]:
    return {"rows": [{"source": "till", "externalId": str(number)} for number in range(count)]}


LIMITS: dict[str, tuple[str, int, Callable[[int], str]]] = {
    "tokens_max": ("GRAPHQL_PARSE_FAILED", 7, lambda count: names(count - 2)),
    "depth_max": ("DEPTH_LIMIT", 6, levels),
    "fields_max": ("FIELD_LIMIT", 7, names),
    "aliases_max": (
        "ALIAS_LIMIT",
        7,
        lambda count: "{ " + " ".join(f"a{n}: __typename" for n in range(count)) + " }",
    ),
    "repeats_max": ("REPEATED_FIELD_LIMIT", 7, names),
    "directives_max": (
        "DIRECTIVE_LIMIT",
        1,
        lambda count: f"{{ __typename {' '.join(DIRECTIVES[:count])} }}",
    ),
    "root_fields_max": ("ROOT_FIELD_LIMIT", 7, names),
    "mutations_max": ("MUTATION_LIMIT", 7, lambda count: "mutation " + names(count)),
    "cost_max": (
        "COST_LIMIT",
        50,
        lambda count: f"{{ customers(first: {count}) {{ totalCount }} }}",
    ),
}


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, core_on_sqlite: Any, tmp_path: Any) -> str:
    """Give one kind of database: what is refused reaches none."""
    path = tmp_path / "crmkit.sqlite3"
    path.write_bytes(core_on_sqlite.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def api_within(crm_factory: CrmFactory, api_of: Any) -> Callable[..., Any]:
    """Give a function that makes a schema whose only limits are those named."""
    return lambda **limits: api_of(crm_factory(limits={**LENIENT, **limits}))


def test_every_limit_is_tested(tmp_path: Any) -> None:
    assert {*LIMITS, "variable_objects_max"} == set(Settings(data_dir=tmp_path).limits.model_dump())


@pytest.mark.parametrize("name", LIMITS)
def test_a_document_may_reach_a_limit_and_not_pass_it(api_within: Any, name: str) -> None:
    code, most, document = LIMITS[name]
    api = api_within(**{name: most})

    assert api(document(most))
    assert api.codes(document(most + 1)) == [code]


def test_variables_may_hold_so_many_objects_and_no_more(api_within: Any) -> None:
    query = f"mutation {UPSERT} {{ __typename }} }}"
    api = api_within(variable_objects_max=3)

    assert api(query, **rows(3)) == {"upsertCustomers": {"__typename": "UpsertCustomersSuccess"}}
    assert api.codes(query, **rows(4)) == ["VARIABLES_LIMIT"]


SIZES = [
    ("first: 100", "", {}),
    ("last: 100", "", {}),
    ("first: null, last: 100", "", {}),
    ("first: $n", "", {"n": 100}),
    ("first: $n", "", {"n": 100.0}),
    ("first: $n", "", {"n": "100"}),
    ("first: $n", "", {"n": 10**30}),
    ("first: $n", " = 100", {}),
    ("first: null, last: $n", " = 100", {}),
]


@pytest.mark.parametrize(("page", "default", "variables"), SIZES)
def test_a_page_counts_however_its_size_is_given(
    api: Any, page: str, default: str, variables: Any
) -> None:
    query = paged(DEEP, page, default)

    assert api.codes(query, **variables) == ["COST_LIMIT"]


@pytest.mark.parametrize(
    ("page", "default", "variables"),
    [
        ("first: $n", "", {}),
        ("first: $n", " = 100", {"n": 2}),
        ("first: $n", " = 100", {"n": None}),
        ("first: null, last: 2", "", {}),
    ],
)
def test_a_small_page_costs_little(api: Any, page: str, default: str, variables: Any) -> None:
    query = paged(SHALLOW, page, default)

    assert api(query, **variables)


IDS = ["cus_" + "0" * 32] * 8
WRITTEN = str(IDS).replace("'", '"')


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("query ($x: [ID!]!) { nodes(ids: $x) { id } }", {"x": IDS}),
        (f"query ($x: [ID!]! = {WRITTEN}) {{ nodes(ids: $x) {{ id }} }}", {}),
        (f"{{ nodes(ids: {WRITTEN}) {{ id }} }}", {}),
    ],
)
def test_every_id_counts(api_within: Any, query: str, variables: Any) -> None:
    assert api_within(cost_max=8)(query, **variables) == {"nodes": [None] * 8}
    assert api_within(cost_max=7).codes(query, **variables) == ["COST_LIMIT"]


def test_a_list_counts_as_many_rows_as_it_may_have(api_within: Any) -> None:
    query = "{ customer(id: 1) { tags { tag } } }"

    assert api_within(cost_max=50).codes(query) == ["COST_LIMIT"]
    assert "COST_LIMIT" not in api_within(cost_max=51).codes(query)


def test_fragments_that_double_twenty_times_are_refused_at_once(api: Any) -> None:
    doubling = "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }} " for n in range(20))
    document = "{ ...F0 } " + doubling + "fragment F20 on Query { __typename }"
    began = time.process_time()

    assert api.codes(document) == ["ROOT_FIELD_LIMIT"]
    assert time.process_time() - began < 1


DIGITS = "9" * 5_000


def test_numbers_have_a_number_of_digits_at_most(api: Any) -> None:
    query = "{ customer(id: NUMBER) { id } }"
    codes = [
        api.answer(query.replace("NUMBER", "9" * count)).errors[0]["message"]
        for count in (DIGITS_MAX, DIGITS_MAX + 1)
    ]

    assert [str(DIGITS_MAX) in each for each in codes] == [False, True]


@pytest.mark.parametrize(
    "document",
    [
        f"{{ customers(first: {DIGITS}) {{ totalCount }} }}",
        f"query ($n: Int = {DIGITS}) {{ customers(first: $n) {{ totalCount }} }}",
        f"{{ customers(filter: {{birthOn: {{eq: {DIGITS}}}}}) {{ totalCount }} }}",
        f"{{ customers(filter: {{metrics: {{netMinor: {{eq: {DIGITS}}}}}}}) {{ totalCount }} }}",
    ],
)
def test_thousands_of_digits_are_refused(api: Any, document: str) -> None:
    assert set(api.codes(document)) <= {"BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"}
    assert api.answer(document).was_executed is False


def test_an_amount_of_hundreds_of_digits_is_a_problem_of_its_row(api: Any) -> None:
    line = f'{{sku: "tea", quantity: {DIGITS[:900]}, unitPrice: "1"}}'
    sale = 'source: "till", externalId: "1", occurredAt: "2026-06-01T12:00Z", currency: "EUR"'
    rows = f"input: {{transactions: [{{{sale}, lines: [{line}]}}]}}"
    asked = "... on ValidationProblem { problems { code field } }"

    answer = api(f"mutation {{ recordTransactions({rows}) {{ {asked} }} }}")

    (problem,) = answer["recordTransactions"]["problems"]
    assert problem == {"code": "INVALID_AMOUNT", "field": "lines[0].quantity"}
