"""Automatic persisted queries: the hash first, the text when asked for, and nothing bad kept."""

from hashlib import sha256
from typing import Any

import orjson
import pytest

from crmkit import Actor
from crmkit.testing import CrmFactory
from crmkit_schema.requests import GraphQLAnswer, read_request

QUERY = "{ modules { apiVersion } }"


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, core_on_sqlite: Any, tmp_path: Any) -> str:
    """Give one kind of database: documents are found before any is asked."""
    path = tmp_path / "crmkit.sqlite3"
    path.write_bytes(core_on_sqlite.read_bytes())
    return f"sqlite:///{path}"


class Client:
    """Apollo's client: sends a hash, and the text if told so."""

    def __init__(self, api: Any) -> None:
        self.api = api

    def send(self, text: str, *, with_text: bool, hashed: str | None = None) -> GraphQLAnswer:
        """Send a query's hash, or another one, and its text or not."""
        given = hashed or sha256(text.encode()).hexdigest()
        body: dict[str, Any] = {
            "extensions": {"persistedQuery": {"version": 1, "sha256Hash": given}}
        }
        if with_text:
            body["query"] = text
        actor = Actor("tester", "test", self.api.everything)
        answer: GraphQLAnswer = self.api.schema.execute(read_request(orjson.dumps(body)), actor)
        return answer

    def told(self, text: str, **options: Any) -> tuple[str, str]:
        """Return message and code of the one error."""
        (error,) = self.send(text, **options).errors
        return error["message"], error["extensions"]["code"]


NOT_FOUND = ("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
NOT_SUPPORTED = ("PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED")


@pytest.fixture
def client(api: Any) -> Client:
    return Client(api)


def test_a_text_is_sent_once_and_then_its_hash_does(client: Client) -> None:
    assert client.told(QUERY, with_text=False) == NOT_FOUND
    first = client.send(QUERY, with_text=True)
    second = client.send(QUERY, with_text=False)

    assert first.errors == second.errors == []
    assert first.data == second.data
    assert client.send(QUERY, with_text=True).errors == []


def test_what_was_not_executed_says_so(client: Client) -> None:
    assert not client.send(QUERY, with_text=False).was_executed


@pytest.mark.parametrize("hashed", ["0" * 64, "abc", sha256(QUERY.encode()).hexdigest().upper()])
def test_a_hash_of_something_else_is_refused_and_not_kept(client: Client, hashed: str) -> None:
    _, code = client.told(QUERY, with_text=True, hashed=hashed)

    assert code == "PERSISTED_QUERY_MISMATCH"
    assert client.told(QUERY, with_text=False, hashed=hashed) == NOT_FOUND


def test_a_known_hash_does_not_let_another_text_pass(client: Client) -> None:
    client.send(QUERY, with_text=True)
    known = sha256(QUERY.encode()).hexdigest()

    _, code = client.told("{ __typename }", with_text=True, hashed=known)

    assert code == "PERSISTED_QUERY_MISMATCH"
    assert client.send(QUERY, with_text=False).errors == []


@pytest.mark.parametrize("bad", ["{ nobody }", "{ {", "{ __schema { types { name } } }"])
def test_bad_documents_are_not_kept(client: Client, bad: str) -> None:
    assert client.send(bad, with_text=True).errors
    assert client.told(bad, with_text=False) == NOT_FOUND


def test_huge_documents_are_executed_and_not_kept(client: Client) -> None:
    huge = QUERY + " #" + "x" * 100_000

    assert client.send(huge, with_text=True).errors == []
    assert client.told(huge, with_text=False) == NOT_FOUND


def test_no_more_are_kept_than_the_settings_say(crm_factory: CrmFactory, api_of: Any) -> None:
    client = Client(api_of(crm_factory(documents={"automatic_max": 8})))
    client.send(QUERY, with_text=True)
    client.send(QUERY, with_text=False)
    others = [f"query Q{number} {{ __typename }}" for number in range(40)]
    for each in others:
        client.send(each, with_text=True)

    assert client.send(QUERY, with_text=False).errors == []
    assert sum(not client.send(each, with_text=False).errors for each in others) == 7


def test_they_can_be_switched_off(crm_factory: CrmFactory, api_of: Any) -> None:
    client = Client(api_of(crm_factory(documents={"automatic_max": 0})))

    assert client.told(QUERY, with_text=False) == NOT_SUPPORTED
    assert client.send(QUERY, with_text=True).errors == []
    assert client.told(QUERY, with_text=False) == NOT_SUPPORTED
