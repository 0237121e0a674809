"""What a client is told when the schema breaks, hangs, or has no database."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from crmkit import Actor, Settings
from crmkit.errors import DatabaseBusy
from crmkit_schema.app import http_app
from crmkit_schema.requests import GraphQLAnswer, GraphQLRequest

ASK = {"query": "{ __typename }"}


class WorkingSchema:
    """Does some work before it answers."""

    def __init__(self) -> None:
        self.work: Callable[[], object] = lambda: None
        self.result: object = 1
        self.asked_count = 0

    def execute(self, request: GraphQLRequest, actor: Actor | None) -> GraphQLAnswer:
        self.asked_count += 1
        self.work()
        return GraphQLAnswer({"a": self.result})

    async def answer_quickly(self, request: GraphQLRequest, actor: Actor) -> bytes | None:
        return None

    def joint(self, request: GraphQLRequest, actor: Actor) -> None:
        return None

    def sdl(self) -> str:
        return ""


@pytest.fixture
def schema() -> WorkingSchema:
    return WorkingSchema()


@pytest.fixture
def client(schema: WorkingSchema, tmp_path: Path) -> Iterator[TestClient]:
    settings = Settings(data_dir=tmp_path, request_seconds_max=2.0, workers=1)
    clerk = Actor("till 3", "clerk", frozenset())
    app = http_app(settings, schema, {"good": clerk}.get, {})
    with TestClient(app, headers={"Authorization": "Bearer good"}) as client:
        yield client


@pytest.mark.parametrize("secret", ["password=hunter2", "/srv/crmkit.sqlite3"])
def test_an_unexpected_failure_tells_the_client_a_reference_only(
    client: TestClient, schema: WorkingSchema, caplog: pytest.LogCaptureFixture, secret: str
) -> None:
    schema.work = lambda: int(secret)

    answer = client.post("/graphql", json=ASK)

    extensions = answer.json()["errors"][0]["extensions"]
    assert (answer.status_code, extensions["code"]) == (500, "INTERNAL")
    assert secret not in answer.text
    assert secret in caplog.text
    assert extensions["reference"] in caplog.text


def test_an_answer_that_is_not_json_is_our_failure(
    client: TestClient, schema: WorkingSchema, caplog: pytest.LogCaptureFixture
) -> None:
    schema.result = object()

    answer = client.post("/graphql", json=ASK)

    assert answer.status_code == 500
    assert "not JSON serializable" in caplog.text
    assert "not JSON serializable" not in answer.text


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DatabaseBusy("/srv/crmkit.sqlite3 is being written"), "DATABASE_BUSY"),
        (OperationalError("SELECT secret", {}, Exception("host 10.0.0.7 is down")), "UNAVAILABLE"),
    ],
)
def test_a_database_that_cannot_be_used_gives_503_without_its_name(
    client: TestClient, schema: WorkingSchema, error: Exception, code: str
) -> None:
    def fail() -> None:
        raise error

    schema.work = fail
    answer = client.post("/graphql", json=ASK)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json()["errors"][0]["extensions"] == {"code": code}
    assert "/srv" not in answer.text
    assert "10.0.0.7" not in answer.text


@pytest.fixture
def hold(schema: WorkingSchema) -> Iterator[threading.Event]:
    """Make the schema wait, and let it go at the end of the test."""
    released = threading.Event()
    schema.work = lambda: released.wait(10)
    yield released
    released.set()


@pytest.mark.usefixtures("hold")
def test_a_request_that_overruns_is_answered_without_its_result(client: TestClient) -> None:
    answer = client.post("/graphql", json=ASK)

    assert answer.status_code == 504
    assert answer.json()["errors"][0]["extensions"] == {"code": "TIMEOUT"}
    assert "idempotency key" in answer.json()["errors"][0]["message"]


@pytest.mark.usefixtures("hold")
def test_a_request_that_finds_no_worker_is_told_that_nothing_was_done(
    client: TestClient, schema: WorkingSchema
) -> None:
    client.post("/graphql", json=ASK)

    answer = client.post("/graphql", json=ASK)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json()["errors"][0]["extensions"] == {"code": "BUSY"}
    assert schema.asked_count == 1


def test_other_paths_answer_while_a_request_hangs(
    client: TestClient, hold: threading.Event
) -> None:
    with ThreadPoolExecutor(1) as elsewhere:
        hanging = elsewhere.submit(client.post, "/graphql", json=ASK)
        alive = client.get("/livez")
        is_still_hanging = not hanging.done()
        hold.set()

    assert (alive.status_code, is_still_hanging) == (200, True)
    assert hanging.result().status_code == 200
