"""`crmkit schema`: the GraphQL schema as text."""

import difflib
from pathlib import Path
from typing import Annotated

import typer

from crmkit_cli.opening import ANY_DOCUMENTS, opened
from crmkit_cli.options import HERE, AsJson, DataDir
from crmkit_cli.printing import print_json
from crmkit_cli.refusing import REFUSED


def export(
    output: Annotated[
        Path | None, typer.Option("--output", dir_okay=False, help="Write to this file.")
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option("--check", dir_okay=False, help="Compare with this file; 1 if it differs."),
    ] = None,
    data_dir: DataDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Print the schema of core and the plugins that are on, in GraphQL's definition language."""
    from crmkit_schema.runtime import compose

    with opened(data_dir, documents=ANY_DOCUMENTS) as crm:
        sdl = compose(crm).sdl()
    if check is not None:
        _compare(sdl, check, as_json)
    elif output is not None:
        output.write_text(sdl, encoding="utf-8")
        if as_json:
            print_json({"output": output, "lines": sdl.count("\n")})
        else:
            print(f"Wrote {output}, {sdl.count(chr(10)):,} lines.")
    elif as_json:
        print_json({"sdl": sdl})
    else:
        print(sdl, end="")


def _compare(sdl: str, file: Path, as_json: bool) -> None:
    if not file.exists():
        raise typer.BadParameter(f"there is no file {file}", param_hint="--check")
    kept = file.read_text(encoding="utf-8").splitlines()
    made = sdl.splitlines()
    changes = list(difflib.unified_diff(kept, made, str(file), "these plugins", lineterm=""))
    if as_json:
        print_json({"is_same": not changes, "changes": changes})
    else:
        print("\n".join(changes) or f"{file} is up to date.")
    if changes:
        raise typer.Exit(REFUSED)
