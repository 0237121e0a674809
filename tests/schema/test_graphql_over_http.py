"""The rules of the GraphQL-over-HTTP specification, one test each, on graphql-core itself.

Where a rule says MAY and we decided otherwise (requests over GET), the refusal is what is tested.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import ExecutionResult, GraphQLResolveInfo, build_schema, execute, parse, validate
from graphql.error import GraphQLSyntaxError
from httpx2 import Response
from starlette.testclient import TestClient

from crmkit import Actor, Settings
from crmkit_schema.app import http_app
from crmkit_schema.media_types import GRAPHQL_RESPONSE, JSON
from crmkit_schema.requests import GraphQLAnswer, GraphQLRequest

BOTH = pytest.mark.parametrize("media_type", [JSON, GRAPHQL_RESPONSE])
READER = Actor("reader", "reader", frozenset())
NOT_EXECUTED = {
    "a document that does not parse": {"query": "{"},
    "a field that does not exist": {"query": "{ nothing }"},
    "an operation that is not there": {"query": "query A { __typename }", "operationName": "B"},
    "a variable of the wrong type": {
        "query": "query Q($id: ID!) { __typename echo(id: $id) }",
        "variables": {"id": None},
    },
}


class ReferenceSchema:
    """graphql-core without anything of ours, so that the rules meet real answers."""

    def __init__(self) -> None:
        self._schema = build_schema("type Query { echo(id: ID): ID  fails: Int }")

    def execute(self, request: GraphQLRequest, actor: Actor | None) -> GraphQLAnswer:
        assert actor == READER
        try:
            document = parse(request.query)
        except GraphQLSyntaxError as error:
            return answered(ExecutionResult(None, [error]), was_executed=False)
        if errors := validate(self._schema, document):
            return answered(ExecutionResult(None, errors), was_executed=False)
        root = {"echo": echo, "fails": fails}
        result = execute(
            self._schema,
            document,
            root,
            variable_values=request.variables,
            operation_name=request.operation_name,
        )
        assert isinstance(result, ExecutionResult)
        began = result.data is not None or any(error.path for error in result.errors or ())
        return answered(result, was_executed=began)

    async def answer_quickly(self, request: GraphQLRequest, actor: Actor) -> bytes | None:
        return None

    def joint(self, request: GraphQLRequest, actor: Actor) -> None:
        return None

    def sdl(self) -> str:
        return ""


def echo(_info: GraphQLResolveInfo[None], **arguments: str) -> str | None:
    return arguments.get("id")


def fails(_info: GraphQLResolveInfo[None]) -> int:
    raise ValueError("on purpose")


def answered(result: ExecutionResult, *, was_executed: bool) -> GraphQLAnswer:
    errors = [dict(error.formatted) for error in result.errors or ()]
    return GraphQLAnswer(result.data, errors, was_executed)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = tmp_path_factory.mktemp("over-http")
    app = http_app(Settings(data_dir=folder), ReferenceSchema(), {"good": READER}.get, {})
    with TestClient(app, headers={"Authorization": "Bearer good"}) as client:
        yield client


def ask(client: TestClient, body: object, accept: str = GRAPHQL_RESPONSE) -> Response:
    return client.post("/graphql", json=body, headers={"Accept": accept})


@BOTH
def test_must_accept_each_media_type_and_match_it(client: TestClient, media_type: str) -> None:
    answer = ask(client, {"query": "{ __typename }"}, media_type)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == f"{media_type}; charset=utf-8"


@pytest.mark.parametrize("accept", ["*/*", None])
def test_should_assume_json_without_a_wish(client: TestClient, accept: str | None) -> None:
    request = client.build_request("POST", "/graphql", json={"query": "{ __typename }"})
    del request.headers["Accept"]
    if accept:
        request.headers["Accept"] = accept

    answer = client.send(request)

    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("charset", ["", "; charset=utf-8"])
def test_must_take_and_write_utf8(client: TestClient, charset: str) -> None:
    body = '{"query": "{ echo(id: \\"会员 🛍\\") }"}'.encode()
    headers = {"Content-Type": f"application/json{charset}"}

    answer = client.post("/graphql", content=body, headers=headers)

    assert "会员 🛍".encode() in answer.content
    assert answer.json() == {"data": {"echo": "会员 🛍"}}


def test_may_refuse_get_and_then_answers_405(client: TestClient) -> None:
    answer = client.get("/graphql", params={"query": "{ __typename }"})

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_must_not_run_mutations_over_get(client: TestClient) -> None:
    assert client.get("/graphql", params={"query": "mutation { a }"}).status_code == 405


@BOTH
@pytest.mark.parametrize("body", [{}, {"notquery": ""}, {"query": {"obj": "ect"}}, {"query": 0}])
def test_should_answer_400_to_a_bad_query_member(
    client: TestClient, media_type: str, body: object
) -> None:
    answer = ask(client, body, media_type)

    assert (answer.status_code, "data" in answer.json()) == (400, False)
    assert answer.headers["Content-Type"] == f"{media_type}; charset=utf-8"


@BOTH
@pytest.mark.parametrize("name", ["operationName", "variables", "extensions"])
@pytest.mark.parametrize("value", [0, False, ["array"]])
def test_should_answer_400_to_other_members_of_the_wrong_type(
    client: TestClient, media_type: str, name: str, value: object
) -> None:
    answer = ask(client, {"query": "{ __typename }", name: value}, media_type)

    assert (answer.status_code, "data" in answer.json()) == (400, False)


@BOTH
def test_must_take_variables_and_operation_name(client: TestClient, media_type: str) -> None:
    query = "query A { __typename } query B($id: ID!) { echo(id: $id) }"
    body = {"query": query, "operationName": "B", "variables": {"id": "17850"}, "extensions": {}}

    answer = ask(client, body, media_type)

    assert (answer.status_code, answer.json()) == (200, {"data": {"echo": "17850"}})


@BOTH
def test_must_answer_400_to_what_is_no_json(client: TestClient, media_type: str) -> None:
    headers = {"Accept": media_type, "Content-Type": JSON}

    answer = client.post("/graphql", content='{ "not a JSON', headers=headers)

    assert (answer.status_code, "data" in answer.json()) == (400, False)


@pytest.mark.parametrize("body", NOT_EXECUTED.values(), ids=NOT_EXECUTED)
def test_should_answer_400_without_data_to_what_cannot_run(
    client: TestClient, body: object
) -> None:
    answer = ask(client, body, GRAPHQL_RESPONSE)

    assert answer.status_code == 400
    assert answer.json().keys() == {"errors"}


@pytest.mark.parametrize("body", NOT_EXECUTED.values(), ids=NOT_EXECUTED)
def test_should_answer_200_to_what_cannot_run_in_the_older_type(
    client: TestClient, body: object
) -> None:
    answer = ask(client, body, JSON)

    assert answer.status_code == 200
    assert answer.json().keys() == {"errors"}


@BOTH
def test_should_answer_200_with_data_and_errors_when_a_field_fails(
    client: TestClient, media_type: str
) -> None:
    answer = ask(client, {"query": "{ echo(id: 1) fails }"}, media_type)

    assert answer.status_code == 200
    assert answer.json()["data"] == {"echo": "1", "fails": None}
    assert len(answer.json()["errors"]) == 1


def test_should_answer_415_to_a_body_without_a_type(client: TestClient) -> None:
    assert client.post("/graphql", content=b'{"query": "{ a }"}').status_code == 415
