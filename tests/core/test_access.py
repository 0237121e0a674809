"""Tokens, roles and permissions: what is not allowed is refused."""

from datetime import UTC, timedelta
from typing import Any

import pytest
from sqlmodel import select

from crmkit import Actor, Crm, FixedClock, PermissionDenied, access
from crmkit.access import assemble_roles
from crmkit.errors import SettingsError
from crmkit.manifest import Permission
from crmkit.models import AccessToken
from crmkit.testing import NOON, CrmFactory


def make(crm: Crm, role: str = "clerk", name: str = "till", **more: Any) -> str:
    return crm.write(
        lambda session: access.create_token(session, crm.roles, name, role, now=NOON, **more)
    )


def test_a_token_is_kept_as_a_digest_only(crm: Crm) -> None:
    token = make(crm)

    with crm.read() as session:
        stored = session.exec(select(AccessToken)).one()
    assert token.startswith("crmkit_")
    assert len(token) > 40
    assert all(token not in str(value) for value in stored.model_dump().values())


def test_the_bearer_of_a_token_may_do_what_the_role_may(crm: Crm) -> None:
    actor = crm.authenticate(make(crm))

    assert actor is not None
    assert (actor.name, actor.role) == ("till", "clerk")
    actor.require("customers.write")
    with pytest.raises(PermissionDenied, match=r"tokens\.make"):
        actor.require("tokens.make")


@pytest.mark.parametrize("token", ["", "crmkit_", "crmkit_x", "\ud800", "é", "x" * 1_000_000])
def test_an_unknown_token_is_nobodys(crm: Crm, token: str) -> None:
    make(crm)

    assert crm.authenticate(token) is None


def test_a_token_ends_at_its_last_instant(crm: Crm, clock: FixedClock) -> None:
    token = make(crm, expires_at=NOON + timedelta(hours=1))

    clock.advance(timedelta(minutes=59, seconds=59))
    before = crm.authenticate(token)
    clock.advance(timedelta(seconds=1))

    assert before is not None
    assert crm.authenticate(token) is None


def test_a_revoked_token_is_refused_and_others_are_not(crm: Crm) -> None:
    gone, kept = make(crm, name="a"), make(crm, name="b")

    counts = [
        crm.write(lambda session: access.revoke_token(session, "a", now=NOON)) for _ in range(2)
    ]

    assert counts == [1, 0]
    assert crm.authenticate(gone) is None
    assert crm.authenticate(kept) is not None


def test_a_token_of_a_role_that_is_gone_may_do_nothing(crm_factory: CrmFactory) -> None:
    crm = crm_factory(roles={"auditor": ["customers.read"]})
    token = make(crm, "auditor")
    crm.close()

    actor = crm_factory().authenticate(token)

    assert actor is not None
    assert actor.permissions == frozenset()


def test_a_token_needs_a_role_that_exists(crm: Crm) -> None:
    with pytest.raises(SettingsError, match="no role 'boss'; there are: admin, analyst"):
        make(crm, "boss")


def test_a_naive_end_is_refused_before_it_is_stored(crm: Crm) -> None:
    with pytest.raises(Exception, match="needs a time zone"):
        make(crm, expires_at=NOON.astimezone(UTC).replace(tzinfo=None))


def test_roles_come_from_permissions_and_from_the_retailer() -> None:
    declared = [
        Permission("a.read", "Read.", ("clerk", "boss")),
        Permission("a.write", "Write.", ("boss",)),
        Permission("b.read", "Read."),
    ]

    roles = assemble_roles(declared, {"clerk": ["b.read"], "robot": []})

    assert roles["clerk"] == {"b.read"}
    assert roles["boss"] == {"a.read", "a.write"}
    assert roles["robot"] == frozenset()
    assert roles["admin"] == {"a.read", "a.write", "b.read"}


def test_a_role_names_permissions_that_exist() -> None:
    with pytest.raises(SettingsError, match=r"'clerk' has the unknown permission 'a\.fly'"):
        assemble_roles([Permission("a.read", "Read.")], {"clerk": ["a.fly"]})


def test_an_actor_has_what_was_given_and_no_more() -> None:
    actor = Actor("x", "y", frozenset({"a.read"}))

    actor.require("a.read")
    for other in ("a", "a.read ", "A.READ", ""):
        with pytest.raises(PermissionDenied):
            actor.require(other)
