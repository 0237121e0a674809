"""`crmkit token`: making, listing and revoking bearer tokens."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from crmkit_cli.opening import opened
from crmkit_cli.options import HERE, AsJson, DataDir
from crmkit_cli.printing import note, print_json, print_table

if TYPE_CHECKING:
    from crmkit.models import AccessToken


def create(
    name: Annotated[
        str, typer.Option("--name", help="Who will use it; kept with what they write.")
    ],
    role: Annotated[str, typer.Option("--role", help="What they may do, such as admin.")],
    expires_in_days: Annotated[
        int | None, typer.Option("--expires-in-days", min=1, max=36500, help="Never, if not given.")
    ] = None,
    data_dir: DataDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it, this once."""
    from crmkit.access import create_token

    with opened(data_dir, must_be_ready=True) as crm:
        now = crm.clock.now()
        expires_at = now + timedelta(expires_in_days) if expires_in_days else None
        token = crm.write(
            lambda session: create_token(
                session, crm.roles, name, role, now=now, expires_at=expires_at
            )
        )
    if as_json:
        print_json({"name": name, "role": role, "expires_at": expires_at, "token": token})
    else:
        note("Keep this token; it cannot be shown again.")
        print(token)


def revoke(
    name: Annotated[str, typer.Option("--name", help="The name the token was made under.")],
    data_dir: DataDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Refuse every token of a name from now on."""
    from crmkit import NotFound
    from crmkit.access import revoke_token

    with opened(data_dir, must_be_ready=True) as crm:
        count = crm.write(lambda session: revoke_token(session, name, now=crm.clock.now()))
    if not count:
        raise NotFound("valid token named", name)
    if as_json:
        print_json({"name": name, "revoked": count})
    else:
        print(f"Revoked {count} token{'s' if count > 1 else ''} of {name}.")


def list_tokens(data_dir: DataDir = HERE, as_json: AsJson = False) -> None:
    """Show the tokens there are, without the tokens themselves."""
    from sqlmodel import col, select

    from crmkit.models import AccessToken

    with opened(data_dir, must_be_ready=True) as crm, crm.read() as session:
        found = session.exec(select(AccessToken).order_by(col(AccessToken.created_at))).all()
        now = crm.clock.now()
        rows = [(t.name, t.role, _state(t, now), t.created_at, t.expires_at) for t in found]
    if as_json:
        names = ("name", "role", "state", "created_at", "expires_at")
        print_json({"tokens": [dict(zip(names, row, strict=True)) for row in rows]})
    else:
        texts = [(*row[:3], *(at and f"{at:%Y-%m-%d %H:%M}" for at in row[3:])) for row in rows]
        print_table(("Name", "Role", "State", "Made (UTC)", "Expires (UTC)"), texts)


def _state(token: "AccessToken", now: datetime) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at is not None and token.expires_at <= now else "valid"
