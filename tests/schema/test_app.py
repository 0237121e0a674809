"""The application on a real database: tokens made, expired and revoked."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from crmkit import Actor, Crm, FixedClock, Settings
from crmkit.access import create_token, revoke_token
from crmkit.bulk import table_of
from crmkit.models import AccessToken
from crmkit_schema.app import create_app
from crmkit_schema.requests import GraphQLAnswer, GraphQLRequest

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class NamingSchema:
    """Answers with the name of whoever asks."""

    def execute(self, request: GraphQLRequest, actor: Actor | None) -> GraphQLAnswer:
        return GraphQLAnswer({"name": actor and actor.name})

    async def answer_quickly(self, request: GraphQLRequest, actor: Actor) -> bytes | None:
        return None

    def joint(self, request: GraphQLRequest, actor: Actor) -> None:
        return None

    def sdl(self) -> str:
        return ""


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def crm(tmp_path: Path, clock: FixedClock) -> Iterator[Crm]:
    with Crm(Settings(data_dir=tmp_path, plugins=()), clock=clock) as crm:
        crm.database.create()
        yield crm


@pytest.fixture
def token(crm: Crm) -> str:
    """Return the token of a new administrator, good for one hour."""
    table_of(AccessToken).create(crm.database.writer)
    until = NOON + timedelta(hours=1)
    return crm.write(
        lambda session: create_token(
            session, crm.roles, "office", "admin", now=NOON, expires_at=until
        )
    )


def status(crm: Crm, token: str) -> int:
    with TestClient(create_app(crm, NamingSchema())) as client:
        headers = {"Authorization": f"Bearer {token}"}
        return client.post("/graphql", json={"query": "{ name }"}, headers=headers).status_code


def test_a_token_that_was_made_is_accepted(crm: Crm, token: str) -> None:
    assert status(crm, token) == 200


def test_a_token_differing_in_its_last_letter_is_refused(crm: Crm, token: str) -> None:
    other = token[:-1] + ("A" if token[-1] != "A" else "B")

    assert status(crm, other) == 401


def test_a_revoked_token_is_refused(crm: Crm, token: str) -> None:
    crm.write(lambda session: revoke_token(session, "office", now=NOON))

    assert status(crm, token) == 401


def test_a_token_ends_with_its_time(crm: Crm, token: str, clock: FixedClock) -> None:
    clock.advance(timedelta(minutes=59, seconds=59))
    assert status(crm, token) == 200

    clock.advance(timedelta(seconds=1))
    assert status(crm, token) == 401


def test_a_database_without_tables_gives_503(crm: Crm) -> None:
    assert status(crm, "crmkit_x") == 503


def test_readiness_asks_the_database_and_the_given_checks(crm: Crm) -> None:
    checks = {"migrations": lambda: "1 migration is pending"}

    ready = TestClient(create_app(crm, NamingSchema())).get("/readyz")
    behind = TestClient(create_app(crm, NamingSchema(), checks)).get("/readyz")

    assert (ready.status_code, behind.status_code) == (200, 503)
    assert behind.json()["reasons"] == [{"check": "migrations", "reason": "1 migration is pending"}]
