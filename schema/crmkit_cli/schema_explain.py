"""`crmkit schema explain`: what becomes of a GraphQL document."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crmkit_cli.opening import ANY_DOCUMENTS, opened
from crmkit_cli.options import HERE, AsJson, DataDir
from crmkit_cli.printing import print_json
from crmkit_cli.readable_sql import readable

if TYPE_CHECKING:
    from crmkit import Actor, Crm
    from crmkit_schema.engine.explaining import Explanation


def explain(
    document: Annotated[
        typer.FileText, typer.Argument(encoding="utf-8", help="File of it; - is standard input.")
    ],
    variables: Annotated[
        str, typer.Option("--variables", help="Their values, as a JSON object.")
    ] = "{}",
    role: Annotated[
        str | None, typer.Option("--role", help="Who asks; admin, if not given.")
    ] = None,
    token_name: Annotated[
        str | None, typer.Option("--token-name", help="Who asks: the role of that token.")
    ] = None,
    operation: Annotated[
        str | None, typer.Option("--operation", help="Which one, if there are several.")
    ] = None,
    data_dir: DataDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Show how a GraphQL document is answered: its cost, its SQL, and which fields have none."""
    from crmkit_schema.engine import explaining
    from crmkit_schema.runtime import ComposedSchema

    values = _variables(variables)
    if role is not None and token_name is not None:
        raise typer.BadParameter("give a role or a token's name", param_hint="--token-name")
    is_ready = token_name is not None
    with opened(data_dir, must_be_ready=is_ready, documents=ANY_DOCUMENTS) as crm:
        actor = _actor(crm, role, token_name)
        found = explaining.explain(ComposedSchema(crm), document.read(), values, actor, operation)
        cost_max = crm.settings.limits.cost_max
    if as_json:
        told = {name: _plain(value) for name, value in asdict(found).items()}
        print_json({"role": actor.role, "cost_max": cost_max, **told})
    else:
        _print(found, actor.role, cost_max)


def _variables(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"not JSON: {error}", param_hint="--variables") from None
    if not isinstance(found, dict):
        raise typer.BadParameter("not a JSON object", param_hint="--variables")
    return found


def _actor(crm: "Crm", role: str | None, token_name: str | None) -> "Actor":
    from crmkit import Actor
    from crmkit.access import ADMIN

    asking = role or ADMIN if token_name is None else _role_of(crm, token_name)
    return Actor(token_name or "explain", asking, crm.roles[asking])


def _role_of(crm: "Crm", token_name: str) -> str:
    from sqlmodel import col, select

    from crmkit import NotFound
    from crmkit.models import AccessToken

    with crm.read() as session:
        newest = col(AccessToken.created_at).desc()
        named = select(AccessToken.role).where(AccessToken.name == token_name).order_by(newest)
        role = session.exec(named.limit(1)).first()
    if role is None:
        raise NotFound("token named", token_name)
    return role


def _plain(value: Any) -> Any:
    """Return named tuples of a list as objects."""
    if not isinstance(value, list):
        return value
    return [each._asdict() if hasattr(each, "_asdict") else each for each in value]


def _print(found: "Explanation", role: str, cost_max: int) -> None:
    excess = "" if found.cost <= cost_max else ", so it is refused"
    print(f"{found.kind.capitalize()} for the role {role}: {_answered_by(found)}")
    print(f"Cost: {found.cost:,} objects of {cost_max:,}{excess}")
    if found.reason:
        print(f"Because: {found.reason}")
    for each in found.fell_back:
        print(f"No plan: {each.field}: {each.reason}")
    for each in found.refused:
        print(f"Refused: {each.field}: {each.reason}")
    for place in found.called:
        print(f"Called: {place}")
    for place in found.computed:
        print(f"Added by Python: {place}")
    if found.sql:
        print(f"Most rows read: {found.rows_max:,}")
        print(f"Parameters: {_parameters(found.parameters)}")
        print(f"\n{readable(found.sql)}")
    for payload in found.payloads:
        print(f"\nRows below {payload.place}:\n{readable(payload.sql) or payload.reason}")


def _answered_by(found: "Explanation") -> str:
    if not found.covered:
        return "by the reference executor, field by field"
    ways = ["one statement"] if found.sql else []
    ways += [f"{len(found.called)} called in Python"] if found.called else []
    return " and ".join(ways) or "nothing to read"


def _parameters(given: Any) -> str:
    if isinstance(given, dict):
        return ", ".join(f"{name} = {value!r}" for name, value in given.items()) or "none"
    return ", ".join(map(repr, given)) or "none"
