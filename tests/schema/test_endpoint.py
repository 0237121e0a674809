"""Every way in which `/graphql` refuses a request, with its status and code."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from starlette.testclient import TestClient

from crmkit import Actor, Settings
from crmkit_schema.app import http_app
from crmkit_schema.requests import GraphQLAnswer, GraphQLRequest

CLERK = Actor("till 3", "clerk", frozenset({"customers.read"}))
ASK = {"query": "{ __typename }"}
BODY_BYTES_MAX = 2_000


class ScriptedSchema:
    """Answers as it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer = GraphQLAnswer({"__typename": "Query"})
        self.asked: list[tuple[GraphQLRequest, Actor | None]] = []

    def execute(self, request: GraphQLRequest, actor: Actor | None) -> GraphQLAnswer:
        self.asked.append((request, actor))
        return self.answer

    async def answer_quickly(self, request: GraphQLRequest, actor: Actor) -> bytes | None:
        return None

    def joint(self, request: GraphQLRequest, actor: Actor) -> None:
        return None

    def sdl(self) -> str:
        return "type Query {\n  id: ID\n}\n"


@pytest.fixture
def schema() -> ScriptedSchema:
    return ScriptedSchema()


@pytest.fixture
def client(schema: ScriptedSchema, tmp_path: Path) -> Iterator[TestClient]:
    settings = Settings(data_dir=tmp_path, body_bytes_max=BODY_BYTES_MAX)
    app = http_app(settings, schema, {"good": CLERK}.get, {})
    with TestClient(app, headers={"Authorization": "Bearer good"}) as client:
        yield client


def post(client: TestClient, content: object, **headers: str) -> tuple[int, str]:
    """Return status and error code of a raw body."""
    given = {"Content-Type": "application/json"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    answer = client.post("/graphql", content=content, headers=given)  # type: ignore[arg-type]
    return answer.status_code, answer.json()["errors"][0]["extensions"]["code"]


def test_what_takes_long_on_the_event_loop_is_given_up_in_time(
    schema: ScriptedSchema, tmp_path: Path
) -> None:
    async def hang(request: GraphQLRequest, actor: Actor) -> bytes | None:
        await asyncio.sleep(30)
        return b"late"

    schema.answer_quickly = hang  # type: ignore[method-assign]
    settings = Settings(data_dir=tmp_path, request_seconds_max=0.1)
    app = http_app(settings, schema, {"good": CLERK}.get, {})
    with TestClient(app, headers={"Authorization": "Bearer good"}) as client:
        assert post(client, orjson.dumps(ASK)) == (504, "TIMEOUT")
    assert schema.asked == []


def padded(bytes_count: int) -> bytes:
    """Return a good request of exactly so many bytes."""
    body = orjson.dumps(ASK)
    return body + b" " * (bytes_count - len(body))


def test_a_good_request_reaches_the_schema_with_its_actor(
    client: TestClient, schema: ScriptedSchema
) -> None:
    body = {"query": "query Q { a }", "variables": {"x": 1}, "operationName": "Q", "extensions": {}}

    answer = client.post("/graphql", json=body)

    assert answer.json() == {"data": {"__typename": "Query"}}
    assert schema.asked == [(GraphQLRequest("query Q { a }", {"x": 1}, "Q"), CLERK)]


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer bad", "Basic good", "good", "Bearer good bad", "Bearer gööd"],
)
def test_a_request_without_a_good_token_gets_401_and_no_reason(
    client: TestClient, schema: ScriptedSchema, authorization: str
) -> None:
    headers = {b"Authorization": authorization.encode()}

    answer = client.post("/graphql", json=ASK, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="crmkit"'
    refusal = {"message": "send a valid bearer token", "extensions": {"code": "UNAUTHENTICATED"}}
    assert answer.json() == {"errors": [refusal]}
    assert schema.asked == []


def test_a_missing_token_looks_like_a_bad_one(client: TestClient) -> None:
    del client.headers["Authorization"]
    missing = client.post("/graphql", json=ASK)
    bad = client.post("/graphql", json=ASK, headers={"Authorization": "Bearer bad"})

    assert (missing.status_code, missing.content) == (bad.status_code, bad.content)


def test_two_tokens_are_none(client: TestClient) -> None:
    headers = [("Authorization", "Bearer good"), ("Content-Type", "application/json")]

    answer = client.post("/graphql", content=padded(50), headers=headers + headers[:1])

    assert answer.status_code == 401


def test_the_body_of_a_stranger_is_not_read(client: TestClient) -> None:
    assert post(client, b"{", Authorization="Bearer bad") == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_any_method_but_post_is_refused(
    client: TestClient, schema: ScriptedSchema, method: str
) -> None:
    answer = client.request(method, "/graphql?query={__typename}")

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"
    assert schema.asked == []


def test_other_origins_get_no_permission(client: TestClient) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}

    preflight = client.options("/graphql", headers=headers)
    answer = client.post("/graphql", json=ASK, headers=headers)

    names = {name.lower() for name in [*preflight.headers, *answer.headers]}
    assert not any(name.startswith("access-control") for name in names)


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "xx/application/json",
        "application/jsonp",
        "application/json, text/plain",
        "application/json; charset=utf-16",
        "application/json; boundary=x",
    ],
)
def test_any_other_content_type_is_refused(client: TestClient, content_type: str) -> None:
    expected = (415, "UNSUPPORTED_MEDIA_TYPE")

    assert post(client, padded(50), Content_Type=content_type) == expected


def test_a_compressed_body_is_refused(client: TestClient) -> None:
    expected = (415, "UNSUPPORTED_MEDIA_TYPE")

    assert post(client, padded(50), Content_Encoding="gzip") == expected


def test_an_accept_header_we_cannot_serve_is_refused(client: TestClient) -> None:
    assert post(client, padded(50), Accept="text/html") == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "BAD_REQUEST"),
        (b"null", "BAD_REQUEST"),
        (b"[" * 1_500, "BAD_REQUEST"),
        (b"[{}]", "BATCHING_DISABLED"),
    ],
)
def test_a_body_that_is_no_request_is_refused(
    client: TestClient, schema: ScriptedSchema, body: bytes, code: str
) -> None:
    assert post(client, body) == (400, code)
    assert schema.asked == []


def test_a_body_may_have_just_the_allowed_bytes(client: TestClient) -> None:
    headers = {"Content-Type": "application/json"}

    allowed = client.post("/graphql", content=padded(BODY_BYTES_MAX), headers=headers)

    assert allowed.status_code == 200
    assert post(client, padded(BODY_BYTES_MAX + 1)) == (413, "BODY_TOO_LARGE")


def test_status_200_or_400_follows_the_media_type_when_nothing_ran(
    client: TestClient, schema: ScriptedSchema
) -> None:
    error = {"message": "unknown field", "extensions": {"code": "VALIDATION"}}
    schema.answer = GraphQLAnswer(None, [error], was_executed=False)

    older = client.post("/graphql", json=ASK)
    newer = client.post(
        "/graphql", json=ASK, headers={"Accept": "application/graphql-response+json"}
    )

    assert (older.status_code, newer.status_code) == (200, 400)
    assert older.json() == newer.json() == {"errors": [error]}


def test_a_failed_field_keeps_status_200(client: TestClient, schema: ScriptedSchema) -> None:
    error = {"message": "no", "path": ["a"], "extensions": {"code": "FORBIDDEN"}}
    schema.answer = GraphQLAnswer(None, [error])

    answer = client.post(
        "/graphql", json=ASK, headers={"Accept": "application/graphql-response+json"}
    )

    assert answer.status_code == 200
    assert answer.json() == {"data": None, "errors": [error]}


def test_answers_are_neither_kept_nor_guessed(client: TestClient) -> None:
    answers = [client.post("/graphql", json=ASK), client.get("/nowhere"), client.get("/livez")]

    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/", "/graphql/", "/graphiql/page.js", "/schema.graphql", "/docs", "/GraphQL"]
)
def test_nothing_else_is_open_in_production(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"Accept": "text/html"}, follow_redirects=False)

    assert answer.status_code == 404
    assert answer.json()["errors"][0]["extensions"] == {"code": "NOT_FOUND"}
