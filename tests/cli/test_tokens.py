from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crmkit import Crm, Settings

Run = Callable[..., Any]


def test_a_token_is_printed_alone_and_lets_its_bearer_in(crmkit: Run, shop: Path) -> None:
    made = crmkit("token", "create", "--name", "till", "--role", "clerk")

    with Crm(Settings.load(shop)) as crm:
        actor = crm.authenticate(made.out.strip())
    assert actor is not None
    assert (actor.name, actor.role) == ("till", "clerk")
    assert "cannot be shown again" in made.err


def test_the_list_shows_states_and_no_token(crmkit: Run) -> None:
    token = crmkit("token", "create", "--name", "till", "--role", "clerk", "--json").object["token"]
    crmkit("token", "create", "--name", "boss", "--role", "admin", "--expires-in-days", "7")
    crmkit("token", "revoke", "--name", "till")

    listed = crmkit("token", "list", "--json")

    tokens = {each["name"]: each for each in listed.object["tokens"]}
    assert (tokens["till"]["state"], tokens["boss"]["state"]) == ("revoked", "valid")
    assert tokens["till"]["expires_at"] is None
    assert tokens["boss"]["expires_at"].endswith("+00:00")
    assert token not in listed.out


def test_a_revoked_token_lets_nobody_in(crmkit: Run, shop: Path) -> None:
    token = crmkit("token", "create", "--name", "till", "--role", "clerk").out.strip()

    revoked = crmkit("token", "revoke", "--name", "till")

    with Crm(Settings.load(shop)) as crm:
        assert crm.authenticate(token) is None
    assert revoked.out == "Revoked 1 token of till.\n"


def test_revoking_nothing_is_refused(crmkit: Run) -> None:
    refused = crmkit("token", "revoke", "--name", "nobody")

    assert refused.exit_code == 1
    assert refused.err.endswith("[NOT_FOUND]\n")


def test_an_unknown_role_is_refused_with_those_there_are(crmkit: Run) -> None:
    refused = crmkit("token", "create", "--name", "till", "--role", "king")

    assert refused.exit_code == 1
    assert "there is no role 'king'; there are: admin" in refused.err


@pytest.mark.parametrize("days", ["0", "-1", "40000"])
def test_a_token_expires_within_a_hundred_years(days: str, crmkit: Run) -> None:
    refused = crmkit(
        "token", "create", "--name", "till", "--role", "clerk", "--expires-in-days", days
    )

    assert refused.exit_code == 2


def test_tokens_need_tables(run: Run, tmp_path: Path) -> None:
    refused = run("token", "list", "--data-dir", tmp_path)

    assert refused.exit_code == 1
    assert refused.err.endswith("run: crmkit db upgrade [DATABASE_NOT_READY]\n")
