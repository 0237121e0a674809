import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
LIST = "query L($n: Int) { customers(first: $n) { nodes { displayName age tags { tag } } } }"
MIXED = """{ customers { ...Page } v: modules { apiVersion } }
fragment Page on CustomerConnection { nodes { displayName } }"""


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    """Give a function that writes a document."""

    def write(text: str) -> Path:
        path = tmp_path / "query.graphql"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_plan_is_shown_with_its_statement(crmkit: Run, file: Any) -> None:
    ran = crmkit("schema", "explain", file(LIST), "--variables", '{"n": 7}', "--json")
    found = ran.object

    assert (ran.exit_code, found["covered"], found["kind"]) == (0, True, "query")
    assert (found["role"], found["cost"], found["cost_max"]) == ("admin", 364, 20_000)
    assert found["computed"] == ["customers.nodes.[].age"]
    assert found["rows_max"] >= 7
    assert 7 in found["parameters"]
    assert found["fell_back"] == []


def test_people_read_the_statement_in_lines(crmkit: Run, file: Any) -> None:
    lines = crmkit("schema", "explain", file(LIST)).out.splitlines()

    assert lines[0] == "Query for the role admin: one statement"
    assert re.match(r"Cost: [\d,]+ objects of 20,000$", lines[1])
    assert "Added by Python: customers.nodes.[].age" in lines
    assert "      FROM customer AS customer_1" in lines


def test_fields_that_python_answers_are_named(crmkit: Run, file: Any) -> None:
    found = crmkit("schema", "explain", file(MIXED), "--json").object
    lines = crmkit("schema", "explain", file(MIXED)).out.splitlines()

    assert (found["covered"], found["called"]) == (True, ["v"])
    assert lines[0] == "Query for the role admin: one statement and 1 called in Python"
    assert "Called: v" in lines


def test_fields_without_a_plan_are_named_with_the_reason(
    crmkit: Run, file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMKIT_PROFILE", "development")
    text = "{ customers { totalCount } ...Q } fragment Q on Query { s: __schema { __typename } }"

    found = crmkit("schema", "explain", file(text), "--json").object
    lines = crmkit("schema", "explain", file(text)).out.splitlines()

    assert not found["covered"]
    assert [each["field"] for each in found["fell_back"]] == ["s"]
    assert lines[0] == "Query for the role admin: by the reference executor, field by field"
    assert any(each.startswith("No plan: s: ") for each in lines)


def test_of_a_mutation_the_statements_of_its_payload_are_shown(crmkit: Run, file: Any) -> None:
    path = file(
        """mutation Record($input: RecordInteractionsInput!) { recordInteractions(input: $input) {
        ... on RecordInteractionsSuccess { rows { interaction { id customer { id } } } } } }"""
    )
    options = ("--variables", '{"input": {"interactions": []}}')

    found = crmkit("schema", "explain", path, *options, "--json").object
    told = crmkit("schema", "explain", path, *options).out
    without = crmkit("schema", "explain", path)

    (payload,) = found["payloads"]
    assert (found["kind"], found["called"]) == ("mutation", ["recordInteractions"])
    assert payload["place"] == "recordInteractions.rows (InteractionRow)"
    assert "FROM interaction AS" in payload["sql"]
    assert "\nRows below recordInteractions.rows (InteractionRow):\n" in told
    assert (without.exit_code, "Variable '$input'" in without.err) == (1, True)


CONTACT = "{ customers { nodes { displayName contactPoints { value } } } }"


@pytest.fixture
def lister(shop: Path) -> None:
    """Let the shop have a role that may not see how to reach customers, and a token of it."""
    with (shop / "crmkit.toml").open("a", encoding="utf-8") as settings:
        settings.write('\n[roles]\nlister = ["core.use", "customers.read"]\n')


@pytest.mark.usefixtures("lister")
@pytest.mark.parametrize("asking", [("--role", "lister"), ("--token-name", "till")])
def test_what_a_role_may_not_see_is_named(crmkit: Run, file: Any, asking: Any) -> None:
    crmkit("token", "create", "--name", "till", "--role", "lister")

    found = crmkit("schema", "explain", file(CONTACT), *asking, "--json").object

    assert found["role"] == "lister"
    assert [each["field"] for each in found["refused"]] == ["customers.nodes.[].contactPoints"]
    assert crmkit("schema", "explain", file(CONTACT), "--json").object["refused"] == []


def test_an_unknown_token_is_refused(crmkit: Run, file: Any) -> None:
    assert crmkit("schema", "explain", file(LIST), "--token-name", "nobody").exit_code == 1


def test_manifests_older_than_the_schema_stop_no_developer(
    crmkit: Run, shop: Path, file: Any
) -> None:
    (shop / "old.json").write_text('{"a1": "{ nobody }"}', encoding="utf-8")
    with (shop / "crmkit.toml").open("a", encoding="utf-8") as settings:
        settings.write('\n[documents]\ntrusted = ["old.json"]\nonly_trusted = true\n')

    explained = crmkit("schema", "explain", file(LIST))
    exported = crmkit("schema", "export")
    served = crmkit("serve")

    assert (explained.exit_code, exported.exit_code, served.exit_code) == (0, 0, 1)
    assert "trusted document a1" in served.err


def test_the_document_may_come_from_standard_input(crmkit: Run) -> None:
    assert crmkit("schema", "explain", "-", "--json", stdin=LIST).object["covered"]


def test_of_several_operations_one_is_named(crmkit: Run, file: Any) -> None:
    path = file(f"{LIST} query Other {{ modules {{ apiVersion }} }}")

    named = crmkit("schema", "explain", path, "--operation", "Other", "--json")
    unnamed = crmkit("schema", "explain", path, "--json")

    assert named.object["called"] == ["modules"]
    assert (unnamed.exit_code, unnamed.object["error"]["code"]) == (1, "DOCUMENT_REFUSED")


def test_a_wrong_document_is_refused_in_one_line(crmkit: Run, file: Any) -> None:
    ran = crmkit("schema", "explain", file("{ nobody }"))

    assert (ran.exit_code, ran.err.count("\n")) == (1, 1)
    assert "Cannot query field 'nobody'" in ran.err


@pytest.mark.parametrize("variables", ["{", "[]", "7"])
def test_wrong_variables_are_wrong_use(crmkit: Run, file: Any, variables: str) -> None:
    assert crmkit("schema", "explain", file(LIST), "--variables", variables).exit_code == 2


def test_an_unknown_role_is_refused(crmkit: Run, file: Any) -> None:
    assert crmkit("schema", "explain", file(LIST), "--role", "nobody").exit_code == 1
