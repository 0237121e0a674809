"""`crmkit demo`: a retailer with a past, and a server that answers about it, in one command."""

import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crmkit_cli.demo_data import DemoPlan, begun, record, truth_file
from crmkit_cli.demo_query import curl_line, query_for
from crmkit_cli.init import write_data_dir
from crmkit_cli.opening import opened
from crmkit_cli.options import AsJson, DataDir, Host, Port
from crmkit_cli.printing import print_json
from crmkit_cli.progress import progress_bar

if TYPE_CHECKING:
    from sqlmodel import Session

    from crmkit import Crm
    from crmkit_schema.runtime import ComposedSchema

FOLDER = Path("crmkit-demo")
_TOKEN_NAME = "demo"  # noqa: S105 - whose token it is


@dataclass(frozen=True, slots=True)
class Welcome:
    """What somebody who just started the demo needs to know.

    Attributes:
        graphiql: address of the query editor.
        curl: a command that works as it stands.
    """

    graphiql: str
    token: str
    curl: str
    data_dir: Path
    truth: Path
    plugins_dir: Path


def demo(
    data_dir: DataDir = FOLDER,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    customers: Annotated[
        int | None, typer.Option("--customers", min=1, max=100_000, help="How many; 600 at first.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Equal seeds give equal retailers; 1 at first.")
    ] = None,
    no_serve: Annotated[
        bool, typer.Option("--no-serve", help="Make the data and start no server.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start crmkit with a made-up retailer: 600 customers and two years of sales."""
    from crmkit_cli import serving
    from crmkit_schema.app import create_app
    from crmkit_schema.subscriptions.streams import Streams

    write_data_dir(data_dir, profile="development")
    with opened(data_dir, profile="development") as crm:
        crm.database.claim()
        with serving.listen(host, port) as listening:
            schema = _prepare(crm, customers, seed, as_json)
            welcome = _welcome(crm, schema, serving.address(listening))

            def announce() -> None:
                if as_json:
                    print_json(asdict(welcome))
                else:
                    _greet(welcome, is_served=not no_serve)

            if no_serve:
                announce()
            else:
                streams = Streams(crm, schema)
                app = create_app(crm, schema, streams=streams)
                serving.run(app, listening, announce, streams)


def _prepare(
    crm: "Crm", customers: int | None, seed: int | None, as_json: bool
) -> "ComposedSchema":
    """Bring tables and data to where the demo needs them; quick if they are there already."""
    from crmkit.migrating import upgrade
    from crmkit_schema.runtime import compose

    upgrade(crm.database, crm.registry)
    schema = compose(crm)
    plan = begun(crm)
    if plan is None:
        plan = DemoPlan.until_yesterday(
            crm.clock.now(), customers or 600, 1 if seed is None else seed
        )
    plan.require(customers, seed)
    with progress_bar(is_quiet=as_json) as report:
        record(crm, plan, report)
    return schema


def _welcome(crm: "Crm", schema: "ComposedSchema", at: str) -> Welcome:
    from crmkit.access import ADMIN, create_token, revoke_token

    now = crm.clock.now()

    def renew(session: "Session") -> str:
        revoke_token(session, _TOKEN_NAME, now=now)
        return create_token(session, crm.roles, _TOKEN_NAME, ADMIN, now=now)

    token = crm.write(renew)
    with crm.read() as session:
        query = query_for(session, schema.composition)
    folder = crm.settings.data_dir
    return Welcome(
        graphiql=f"{at}/graphql",
        token=token,
        curl=curl_line(f"{at}/graphql", token, query),
        data_dir=folder,
        truth=truth_file(folder),
        plugins_dir=crm.settings.plugins_dir.absolute(),
    )


def _greet(welcome: Welcome, *, is_served: bool) -> None:
    again = f"crmkit serve --data-dir {shlex.quote(str(welcome.data_dir))}"
    print(f"GraphiQL  {welcome.graphiql}")
    print(f"Token     {welcome.token}")
    print(f"\n{welcome.curl}\n")
    print(
        f"To add a plugin, put its Python file into {welcome.plugins_dir} "
        "and run this command again: being there switches it on."
    )
    print("Stop with Ctrl+C." if is_served else f"To serve it: {again}", flush=True)
