"""What the two profiles show of themselves, on the whole application behind its real edge."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from starlette.testclient import TestClient

from crmkit.access import create_token
from crmkit.testing import NOON, CrmFactory
from crmkit_schema.app import create_app
from crmkit_schema.runtime import compose

INTROSPECTION = "{ __schema { types { name } } }"
MISSPELT = "{ custome { id } }"
BROWSER = {"Accept": "text/html"}
HONEST = {"Accept": "application/graphql-response+json"}


class Edge:
    """A served application, and a token."""

    def __init__(self, crm: Any) -> None:
        token = crm.write(
            lambda session: create_token(session, crm.roles, "office", "admin", now=NOON)
        )
        self.schema = compose(crm)
        self.client = TestClient(create_app(crm, self.schema))
        self._headers = {"Authorization": f"Bearer {token}"}

    def ask(self, *, anonymous: bool = False, **body: Any) -> Any:
        """Post a body, honest statuses wanted."""
        headers = HONEST if anonymous else {**HONEST, **self._headers}
        return self.client.post("/graphql", json=body, headers=headers)

    def code(self, **body: Any) -> tuple[int, str]:
        """Return status and code of the first error."""
        answer = self.ask(**body)
        return answer.status_code, answer.json()["errors"][0]["extensions"]["code"]


Serve = Callable[..., Edge]


@pytest.fixture
def serve(crm_factory: CrmFactory) -> Serve:
    """Give a function that serves a crmkit of certain settings."""
    return lambda **settings: Edge(crm_factory(**settings))


@pytest.mark.parametrize("profile", ["production", "development"])
def test_strangers_see_no_schema_by_queries(serve: Serve, profile: str) -> None:
    edge = serve(profile=profile)

    assert edge.code(anonymous=True, query=INTROSPECTION) == (401, "UNAUTHENTICATED")


def test_production_shows_neither_schema_nor_editor_nor_suggestions(serve: Serve) -> None:
    edge = serve(profile="production")

    assert edge.code(query=INTROSPECTION) == (400, "GRAPHQL_VALIDATION_FAILED")
    assert "did you mean" not in edge.ask(query=MISSPELT).text.lower()
    assert edge.client.get("/graphql", headers=BROWSER).status_code == 405
    assert edge.client.get("/graphiql/page.js").status_code == 404
    assert edge.client.get("/schema.graphql").status_code == 404


def test_development_shows_them(serve: Serve) -> None:
    edge = serve(profile="development")

    assert edge.ask(query=INTROSPECTION).json()["data"]["__schema"]["types"]
    assert "did you mean" in edge.ask(query=MISSPELT).text.lower()
    assert edge.client.get("/graphql", headers=BROWSER).status_code == 200
    assert edge.client.get("/schema.graphql").text == edge.schema.sdl()


def test_several_operations_and_no_name_are_refused(serve: Serve) -> None:
    both = "query A { __typename } query B { __typename }"

    assert serve().code(query=both) == (400, "OPERATION_NOT_FOUND")


@pytest.mark.parametrize("times", [1, 3])
def test_documents_are_named_by_hashes_whichever_way_they_are_answered(
    serve: Serve, times: int
) -> None:
    edge, query = serve(), "{ customers { nodes { id } } }"
    hashed = sha256(query.encode()).hexdigest()

    assert edge.code(documentId=hashed) == (400, "PERSISTED_QUERY_NOT_FOUND")
    assert edge.ask(documentId=hashed, query=query).status_code == 200
    for _ in range(times):  # small answers of known plans are given by another way
        answer = edge.ask(documentId=f"sha256:{hashed}")
        assert answer.json() == {"data": {"customers": {"nodes": []}}}
    assert edge.code(documentId=hashed, query="{ __typename }") == (400, "PERSISTED_QUERY_MISMATCH")


def test_only_trusted_documents_are_answered_whichever_way(serve: Serve, tmp_path: Any) -> None:
    trusted, other = "{ customers { nodes { id } } }", "{ customers { totalCount } }"
    (tmp_path / "manifest.json").write_text(f'{{"a1": "{trusted}"}}')
    edge = serve(documents={"trusted": [tmp_path / "manifest.json"], "only_trusted": True})

    for _ in range(3):
        assert edge.ask(documentId="a1").json() == {"data": {"customers": {"nodes": []}}}
        assert edge.code(query=trusted) == (400, "DOCUMENT_NOT_TRUSTED")
        assert edge.code(query=other) == (400, "DOCUMENT_NOT_TRUSTED")
        assert edge.code(query=other, documentId="a1") == (400, "PERSISTED_QUERY_MISMATCH")
