"""Options that several commands share."""

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
Host = Annotated[str, typer.Option("--host", help="Address to listen at.")]
Port = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="Port to listen at; 0 takes a free one.")
]

HERE = Path()
"""The data directory where none is named."""
