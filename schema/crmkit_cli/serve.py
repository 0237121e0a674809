"""`crmkit serve`: the API of a data directory."""

from typing import TYPE_CHECKING, Annotated

import typer

from crmkit_cli.opening import opened
from crmkit_cli.options import HERE, AsJson, DataDir, Host, Port
from crmkit_cli.printing import note, print_json

if TYPE_CHECKING:
    from crmkit import Crm


def serve(
    data_dir: DataDir = HERE,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    skip_broken: Annotated[
        bool, typer.Option("--skip-broken", help="Start without plugins that cannot be used.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Serve the API until stopped by Ctrl+C or SIGTERM."""
    from crmkit_cli import serving
    from crmkit_schema.app import create_app
    from crmkit_schema.runtime import compose
    from crmkit_schema.subscriptions.streams import Streams

    with opened(data_dir, skip_broken=skip_broken) as crm:
        crm.database.claim()
        schema = compose(crm, skip_broken=skip_broken, must_be_ready=True)
        _warn(crm)
        with serving.listen(host, port) as listening:
            url = f"{serving.address(listening)}/graphql"

            def announce() -> None:
                if as_json:
                    print_json({"graphql": url, "profile": crm.settings.profile})
                else:
                    print(f"Serving {url}; stop with Ctrl+C.", flush=True)

            streams = Streams(crm, schema)
            app = create_app(crm, schema, streams=streams)
            serving.run(app, listening, announce, streams)


def _warn(crm: "Crm") -> None:
    for name, reason in crm.registry.broken.items():
        note(f"warning: plugin {name!r} is put aside: {reason}")
