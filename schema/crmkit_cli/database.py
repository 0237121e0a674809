"""`crmkit db`: the tables of core and of every plugin."""

from typing import TYPE_CHECKING, Annotated

import typer

from crmkit_cli.opening import opened
from crmkit_cli.options import HERE, AsJson, DataDir
from crmkit_cli.printing import print_json, print_table
from crmkit_cli.refusing import REFUSED

if TYPE_CHECKING:
    from crmkit.migrating import Current, Step


def upgrade(
    plugin: Annotated[
        str | None, typer.Argument(help="Only this plugin, and what it requires.")
    ] = None,
    data_dir: DataDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Bring the tables to where the code needs them."""
    from crmkit import migrating

    with opened(data_dir) as crm:
        _tell(migrating.upgrade(crm.database, crm.registry, plugin), as_json)


def downgrade(
    plugin: Annotated[str, typer.Argument(help="Whose tables.")],
    to: Annotated[str, typer.Argument(help="Revision to go back to; `base` drops the tables.")],
    data_dir: DataDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Take a plugin's tables back to an earlier revision; data of later ones are lost."""
    from crmkit import migrating

    with opened(data_dir) as crm:
        _tell(migrating.downgrade(crm.database, crm.registry, plugin, to), as_json)


def current(data_dir: DataDir = HERE, as_json: AsJson = False) -> None:
    """Show how far each plugin's tables have come."""
    from crmkit import migrating

    with opened(data_dir) as crm:
        found = migrating.current(crm.database, crm.registry)
    rows = [(each.plugin, each.at, each.head, _state(each)) for each in found]
    if as_json:
        names = ("plugin", "at", "head", "state")
        print_json({"plugins": [dict(zip(names, row, strict=True)) for row in rows]})
    else:
        print_table(("Plugin", "Tables at", "Code at", "State"), rows)


def check(data_dir: DataDir = HERE, as_json: AsJson = False) -> None:
    """Compare the tables with the models; exits with 1 if they differ."""
    from crmkit import migrating

    with opened(data_dir) as crm:
        pending = migrating.pending(crm.database, crm.registry)
        differences = migrating.check(crm.database, crm.registry)
    if as_json:
        print_json({"pending": pending, "differences": differences})
    else:
        for plugin in pending:
            print(f"{plugin}: the tables are older than the code; run: crmkit db upgrade")
        print("\n".join(differences) or "The tables are what the models say.")
    if pending or differences:
        raise typer.Exit(REFUSED)


def _tell(steps: "list[Step]", as_json: bool) -> None:
    if as_json:
        names = ("plugin", "revision", "direction")
        print_json({"steps": [{name: getattr(step, name) for name in names} for step in steps]})
        return
    for step in steps:
        print(f"{step.direction} {step.plugin} {step.revision}")
    if not steps:
        print("Nothing to do.")


def _state(state: "Current") -> str:
    if state.is_orphan:
        return "off, tables kept"
    return "ready" if state.at == state.head else "pending"
