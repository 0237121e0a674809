"""Options that several commands share, and where they may stand."""

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path,
    typer.Option(
        "--data-dir",
        envvar="CRMKIT_DATA_DIR",
        file_okay=False,
        help="Folder of crmkit.toml, the SQLite file and the local plugins.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
AsPage = Annotated[
    Path | None,
    typer.Option("--report", dir_okay=False, help="Write the answer as an HTML page, too."),
]
Host = Annotated[str, typer.Option("--host", help="Address to listen at.")]
Port = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="Port to listen at; 0 takes a free one.")
]

HERE = Path()
"""The data directory where none is named."""


def refuse_misplaced(context: typer.Context) -> None:
    """Refuse options in front of a subcommand, which would never reach it."""
    for name in ("data_dir", "as_json"):
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(f"write the options after {context.invoked_subcommand}")
