import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from crmkit import Actor, Settings
from crmkit_schema.app import http_app
from crmkit_schema.graphiql import ASSETS, PAGE
from crmkit_schema.requests import GraphQLAnswer, GraphQLRequest

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class EmptySchema:
    """A schema without a field of its own."""

    def execute(self, request: GraphQLRequest, actor: Actor | None) -> GraphQLAnswer:
        raise AssertionError(f"nobody may ask {request.query} here, not even {actor}")

    async def answer_quickly(self, request: GraphQLRequest, actor: Actor) -> bytes | None:
        return None

    def joint(self, request: GraphQLRequest, actor: Actor) -> None:
        return None

    def sdl(self) -> str:
        return "type Query {\n  会员: ID\n}\n"


def serving(folder: Path, profile: str) -> TestClient:
    settings = Settings.load(folder, profile=profile)
    return TestClient(http_app(settings, EmptySchema(), lambda _token: None, {}))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with serving(tmp_path, "development") as client:
        yield client


def test_a_browser_gets_the_editor_in_development(client: TestClient) -> None:
    answer = client.get("/graphql", headers=BROWSER)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert 'id="token"' in answer.text


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
def test_whoever_does_not_ask_for_a_page_gets_405(client: TestClient, accept: str) -> None:
    answer = client.get("/graphql?query={__typename}", headers={"Accept": accept})

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_production_has_no_editor(tmp_path: Path) -> None:
    client = serving(tmp_path, "production")

    assert client.get("/graphql", headers=BROWSER).status_code == 405
    assert client.get("/graphiql/page.js").status_code == 404
    assert client.get("/schema.graphql").status_code == 404


def test_the_editor_needs_a_token_to_ask_anything(client: TestClient) -> None:
    answer = client.post("/graphql", json={"query": "{ __typename }"}, headers=BROWSER)

    assert answer.status_code == 401


def test_development_shows_the_schema(client: TestClient) -> None:
    answer = client.get("/schema.graphql")

    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.text == EmptySchema().sdl()


def test_the_page_may_load_nothing_from_elsewhere(client: TestClient) -> None:
    answer = client.get("/graphql", headers=BROWSER)

    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "http" not in policy
    assert "script-src" not in policy
    assert "'unsafe-eval'" not in policy


def test_the_page_names_only_our_own_files(client: TestClient) -> None:
    page = client.get("/graphql", headers=BROWSER).text

    addresses = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert {address.removeprefix("graphiql/") for address in addresses} == {"data:,", *ASSETS}
    assert not re.search(r"<script(?! src=)", page)
    assert "style=" not in page


@pytest.mark.parametrize("name", sorted(ASSETS))
def test_each_file_of_the_page_is_served_with_its_type(client: TestClient, name: str) -> None:
    answer = client.get(f"/graphiql/{name}")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == ASSETS[name]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert len(answer.content) > 300


@pytest.mark.parametrize(
    "name", ["index.html", "LICENSES/react.txt", "..%2fapp.py", "%2e%2e/app.py", "nothing.js", ""]
)
def test_no_other_file_is_served(client: TestClient, name: str) -> None:
    assert client.get(f"/graphiql/{name}").status_code == 404


def test_every_foreign_file_has_its_licence() -> None:
    folder = files("crmkit_schema") / "static" / "graphiql"
    names = {entry.name for entry in folder.iterdir()}

    assert names == {PAGE, "LICENSES", *ASSETS}
    for package in ("graphiql", "react", "react-dom"):
        text = (folder / "LICENSES" / f"{package}.txt").read_text(encoding="utf-8")
        assert "MIT License" in text
