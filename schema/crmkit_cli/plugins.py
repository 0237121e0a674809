"""`crmkit plugins`: what is on, what is not, and what each brings."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

import typer

from crmkit_cli.opening import opened
from crmkit_cli.options import HERE, AsJson, DataDir, refuse_misplaced
from crmkit_cli.plugin_report import BROKEN, PluginReport, report_plugins
from crmkit_cli.printing import console, print_json

_COLOURS: Mapping[str, str] = {"on": "green", BROKEN: "red", "off": "yellow"}


def plugins(context: typer.Context, data_dir: DataDir = HERE, as_json: AsJson = False) -> None:
    """Show the plugins, and remove what one left behind."""
    from crmkit_schema.runtime import compose

    if context.invoked_subcommand is not None:
        refuse_misplaced(context)
        return
    with opened(data_dir, skip_broken=True) as crm:
        reports = report_plugins(crm, compose(crm, skip_broken=True).composition)
    if as_json:
        print_json({"plugins": [asdict(each) for each in reports]})
    else:
        for each in reports:
            _show(each)


def purge(
    name: Annotated[str, typer.Argument(help="The plugin, on, off or uninstalled.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Yes, its data are to be gone for good.")
    ] = False,
    data_dir: DataDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Drop a plugin's tables with all that is in them."""
    from crmkit import Refused
    from crmkit.migrating import purge as drop

    if not yes:
        raise Refused(
            f"this drops every table of plugin {name!r} with its data; add --yes if that is meant"
        )
    with opened(data_dir, skip_broken=True) as crm:
        dropped = drop(crm.database, crm.registry, name)
    if as_json:
        print_json({"plugin": name, "dropped": dropped})
    else:
        print(f"Dropped {', '.join(dropped)}.")


def _show(report: PluginReport) -> None:
    from rich.table import Table
    from rich.text import Text

    title = Text.assemble(
        (report.name, "bold"),
        f" {report.version or ''} ".replace("  ", " "),
        (report.state, _COLOURS[report.state]),
        (f"  {report.origin}", "dim"),
    )
    details = Table.grid(padding=(0, 2))
    details.add_column(style="dim")
    details.add_column(overflow="fold")
    for label, value in report.details():
        details.add_row(f"  {label}", Text(value))
    console().print(title, details, "")
