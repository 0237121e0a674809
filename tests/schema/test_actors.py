"""Tokens are looked up in the database at most every few seconds."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from crmkit import Actor
from crmkit_schema import actors
from crmkit_schema.actors import Actors


class Tokens:
    """The tokens of a database, which counts who asks."""

    def __init__(self, **actors: Actor) -> None:
        self.actors, self.asked = actors, 0

    def authenticate(self, token: str) -> Actor | None:
        self.asked += 1
        return self.actors.get(token)


CLERK = Actor("till 3", "clerk", frozenset())


def test_a_good_token_is_known_for_a_while() -> None:
    tokens = Tokens(good=CLERK)
    actors_ = Actors(tokens.authenticate)

    assert actors_.known("good") is None
    assert actors_.look_up("good") == CLERK
    assert [actors_.known("good") for _ in range(3)] == [CLERK] * 3
    assert tokens.asked == 1


def test_a_bad_token_is_asked_for_every_time() -> None:
    tokens = Tokens()
    actors_ = Actors(tokens.authenticate)

    assert actors_.look_up("bad") is None
    assert actors_.known("bad") is None


def test_a_revoked_token_is_felt_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    actors_ = Actors(Tokens(good=CLERK).authenticate)
    actors_.look_up("good")

    now += actors.SECONDS_MAX - 0.01
    assert actors_.known("good") == CLERK
    now += 0.02
    assert actors_.known("good") is None


def test_a_token_is_never_known_longer_than_it_is_good() -> None:
    ends = datetime.now(UTC) + timedelta(milliseconds=30)
    brief = Actor("till 3", "clerk", frozenset(), expires_at=ends)
    actors_ = Actors(Tokens(brief=brief).authenticate)
    actors_.look_up("brief")

    time.sleep(0.05)

    assert actors_.known("brief") is None


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actors, "REMEMBERED_MAX", 3)
    actors_ = Actors(lambda token: CLERK)
    for number in range(10):
        actors_.look_up(str(number))

    assert sum(actors_.known(str(number)) is not None for number in range(10)) <= 3
