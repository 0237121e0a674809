"""What scanners for GraphQL servers look for, asked of the production profile: nothing is found."""

import json
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx2
import pytest
from tests.hostile.server import Server

TYPE_NAME = "{ __typename }"
CIRCLE = "{ __schema { types { " + "fields { type { " * 10 + "name" + " } }" * 10 + " } } }"
EDITOR_PATHS = (
    "/",
    "/graphiql",
    "/playground",
    "/console",
    "/altair",
    "/graphql/console",
    "/voyager",
)
EDITORS = ("graphiql", "playground", "altair", "voyager", "<script")
OVERLOADING = {
    "aliases": "{" + " ".join(f"a{n}: __typename" for n in range(101)) + "}",
    "a repeated field": "{" + "__typename " * 500 + "}",
    "known directives": "{ __typename" + " @include(if: true)" * 10 + " }",
    "fragments": "{" + "...F " * 100 + "} fragment F on Query { __typename }",
    "inline fragments": "{" + "... { __typename } " * 100 + "}",
    "introspection in circles": CIRCLE,
    "operations by alias": "mutation {" + " ".join(
        f"m{n}: upsertCustomers(input: {{customers: []}}) {{ __typename }}" for n in range(10)
    ) + "}",
}  # fmt: skip
INTROSPECTION = (
    "{ __schema { types { name } } }",
    "{ __schema { queryType { name } } }",
    '{ __type(name: "Customer") { fields { name } } }',
    "query IntrospectionQuery { ...F } fragment F on Query { __schema { types { name } } }",
    '{ node(id: "cus_1") { ... on Customer { __typename } } __schema { directives { name } } }',
)
MISSPELT = (
    "{ __schema { directive } }",
    "{ customer_ { id } }",
    "{ customrs { totalCount } }",
    "{ customers(firs: 1) { totalCount } }",
    "{ customers(filter: {displayNam: {eq: 1}}) { totalCount } }",
    "query ($x: Custome) { __typename }",
    "{ ... on Custome { id } }",
    "{ customers(orderBy: {field: CREATED_A}) { totalCount } }",
    "mutation { upsertCustomer(input: {}) { __typename } }",
    "{ __typename @includ(if: true) }",
)
BROKEN = (
    "{",
    "{ node }",
    '{ node(id: "x") { id } }',
    "\x00",
    "{ customer(id: 1) { id } }",
)


def _code(answer: httpx2.Response) -> set[str]:
    return {each["extensions"]["code"] for each in answer.json()["errors"]}


@pytest.mark.parametrize("name", OVERLOADING)
def test_overloading_is_refused_before_anything_runs(server: Server, name: str) -> None:
    answer = server.post({"query": OVERLOADING[name]})

    assert "data" not in answer.json()
    assert len(_code(answer)) == 1


def test_unknown_directives_are_not_told_of_one_by_one(server: Server) -> None:
    answer = server.post({"query": "{ __typename" + " @aa" * 10 + " }"})

    assert _code(answer) == {"DIRECTIVE_LIMIT"}


@pytest.mark.parametrize("count", [2, 10])
def test_batches_are_refused(server: Server, count: int) -> None:
    body = json.dumps([{"query": TYPE_NAME}] * count)

    answer = server.client.post(server.url, content=body)

    assert (answer.status_code, _code(answer)) == (400, {"BATCHING_DISABLED"})


@pytest.mark.parametrize("query", INTROSPECTION)
def test_the_schema_is_not_shown(server: Server, query: str) -> None:
    assert "data" not in server.post({"query": query}).json()


@pytest.mark.parametrize("query", MISSPELT)
def test_nothing_is_suggested(server: Server, query: str) -> None:
    answer = server.post({"query": query})

    assert answer.json()["errors"]
    assert "did you mean" not in answer.text.lower()


@pytest.mark.parametrize("query", [TYPE_NAME, "mutation { __typename }"])
def test_nothing_runs_over_get(server: Server, query: str) -> None:
    answer = server.client.get(server.url, params={"query": query})

    assert (answer.status_code, _code(answer)) == (405, {"METHOD_NOT_ALLOWED"})


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "",
     "xx/application/json", "application/graphql", "text/plain; application/json"],
)  # fmt: skip
@pytest.mark.parametrize("body", [f"query={TYPE_NAME}", json.dumps({"query": TYPE_NAME})])
def test_what_a_foreign_page_can_send_is_refused(
    server: Server, content_type: str, body: str
) -> None:
    answer = server.client.post(server.url, content=body, headers={"Content-Type": content_type})

    assert (answer.status_code, _code(answer)) == (415, {"UNSUPPORTED_MEDIA_TYPE"})


@pytest.mark.parametrize("path", [*EDITOR_PATHS, "/graphql", "/schema.graphql", "/docs"])
def test_there_is_no_editor(server: Server, path: str) -> None:
    url = urlunsplit(urlsplit(server.url)._replace(path=path))

    answer = server.client.get(url, headers={"Accept": "text/html"})

    assert answer.status_code in (404, 405, 406)
    assert not [each for each in EDITORS if each in answer.text.lower()]


def test_answers_carry_no_trace(server: Server) -> None:
    headers = {"X-Apollo-Tracing": "1", "apollo-federation-include-trace": "ftv1"}

    answer = server.client.post(server.url, json={"query": TYPE_NAME}, headers=headers)

    assert answer.json() == {"data": {"__typename": "Query"}}
    assert not {"server", "x-powered-by"} & {each.lower() for each in answer.headers}


@pytest.mark.parametrize("query", BROKEN)
def test_errors_tell_nothing_of_the_inside(server: Server, query: str) -> None:
    answer = server.post({"query": query})

    told: Any = answer.json()["errors"]
    assert all(each.keys() <= {"message", "locations", "path", "extensions"} for each in told)
    assert not [
        each for each in ("traceback", ".py", "exception", "graphql-core", "sqlalchemy", "sqlite")
        if each in answer.text.lower()
    ]  # fmt: skip
