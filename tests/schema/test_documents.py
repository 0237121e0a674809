"""Documents are remembered within bounds, and production tells nobody what it has."""

from typing import Any

import pytest

from crmkit.testing import CrmFactory
from crmkit_schema.documents import REMEMBERED_LENGTH_MAX, REMEMBERED_MAX


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, core_on_sqlite: Any, tmp_path: Any) -> str:
    """Give one kind of database: documents are read before any is asked."""
    path = tmp_path / "crmkit.sqlite3"
    path.write_bytes(core_on_sqlite.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def development(crm_factory: CrmFactory, api_of: Any) -> Any:
    return api_of(crm_factory(profile="development"))


def test_documents_are_remembered_up_to_a_number(api: Any) -> None:
    for number in range(REMEMBERED_MAX + 50):
        api(f"query Q{number} {{ modules {{ apiVersion }} }}")

    assert len(api.schema.documents) == REMEMBERED_MAX


def test_a_document_is_read_once(api: Any) -> None:
    text = "{ modules { apiVersion } }"

    assert api.schema.documents.read(text) is api.schema.documents.read(text)


def test_the_document_that_was_not_asked_for_longest_is_forgotten(api: Any) -> None:
    often = "{ modules { apiVersion } }"
    first = api.schema.documents.read(often)
    for number in range(REMEMBERED_MAX * 2):
        api.schema.documents.read(f"query Q{number} {{ modules {{ apiVersion }} }}")
        api.schema.documents.read(often)

    assert api.schema.documents.read(often) is first


def test_huge_documents_are_executed_and_forgotten(api: Any) -> None:
    huge = "{ modules { apiVersion } } #" + "x" * 200_000

    assert api(huge)
    assert len(huge) > REMEMBERED_LENGTH_MAX
    assert len(api.schema.documents) == 0


def test_bad_documents_are_not_remembered(api: Any) -> None:
    for number in range(10):
        api.answer(f"{{ nobody{number} }}")
        api.answer(f"{{ {{ {number}")

    assert len(api.schema.documents) == 0


INTROSPECTION = ("{ __schema { types { name } } }", '{ __type(name: "Customer") { name } }')


@pytest.mark.parametrize("query", INTROSPECTION)
def test_production_describes_itself_to_nobody(api: Any, query: str) -> None:
    assert set(api.codes(query)) == {"GRAPHQL_VALIDATION_FAILED"}


@pytest.mark.parametrize("query", INTROSPECTION)
def test_development_describes_itself(development: Any, query: str) -> None:
    assert development(query)


def test_the_typename_may_be_asked_everywhere(api: Any) -> None:
    assert api("{ __typename }") == {"__typename": "Query"}


MISSPELT = [
    ("{ custome { id } }", {}),
    ("{ customers { nodes { displayNam } } }", {}),
    ("{ customers(firs: 1) { totalCount } }", {}),
    ("{ customers(filter: {displayNam: {eq: 1}}) { totalCount } }", {}),
    ("{ customers(orderBy: {field: DISPLAY_NAM}) { totalCount } }", {}),
    ("{ customers(filter: {gender: {eq: FEMAL}}) { totalCount } }", {}),
    ("query($x: Custome) { modules { apiVersion } }", {}),
    ("{ ...F } fragment F on Quer { modules { apiVersion } }", {}),
    ("{ modules @skp(if: true) { apiVersion } }", {}),
    ("query($x: Gender) { customers(filter: {gender: {eq: $x}}) { totalCount } }", {"x": "FEMAL"}),
    ("query($x: CustomerFilter) { customers(filter: $x) { totalCount } }", {"x": {"gende": {}}}),
    (
        "query($x: CustomerOrderField!) { customers(orderBy: {field: $x}) { totalCount } }",
        {"x": "DISPLAY_NAM"},
    ),
]


@pytest.mark.parametrize(("query", "variables"), MISSPELT)
def test_production_suggests_nothing(api: Any, query: str, variables: Any) -> None:
    errors = api.answer(query, **variables).errors

    assert errors
    assert "did you mean" not in str(errors).lower()


@pytest.mark.parametrize(("query", "variables"), [MISSPELT[0], MISSPELT[5], MISSPELT[9]])
def test_development_helps(development: Any, query: str, variables: Any) -> None:
    assert "Did you mean" in str(development.answer(query, **variables).errors)
