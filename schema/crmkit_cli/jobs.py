"""`crmkit jobs`: what plugins do now and then, and doing it."""

from typing import Annotated

import typer

from crmkit_cli.opening import opened
from crmkit_cli.options import HERE, AsJson, DataDir, refuse_misplaced
from crmkit_cli.printing import print_json, print_table


def jobs(context: typer.Context, data_dir: DataDir = HERE, as_json: AsJson = False) -> None:
    """List the jobs of the plugins, or run some."""
    if context.invoked_subcommand is not None:
        refuse_misplaced(context)
        return
    with opened(data_dir) as crm:
        found = list(crm.registry.jobs.values())
    if as_json:
        print_json({"jobs": [{"name": each.name, "summary": each.summary} for each in found]})
    else:
        print_table(("Job", "What it does"), [(each.name, each.summary) for each in found])


def run(
    names: Annotated[list[str] | None, typer.Argument(help="The jobs, in this order.")] = None,
    run_all: Annotated[bool, typer.Option("--all", help="Run every job there is.")] = False,
    data_dir: DataDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Run jobs until nothing is left to do; may be interrupted and run again at any time."""
    from crmkit.jobs import job_named

    if bool(names) == run_all:
        raise typer.BadParameter("name some jobs, or give --all", param_hint="NAMES")
    with opened(data_dir, must_be_ready=True) as crm:
        wanted = list(crm.registry.jobs) if run_all else names or []
        for name in wanted:
            job_named(crm.registry.jobs, name)
        done = {name: crm.run_job(name) for name in wanted}
    if as_json:
        print_json({"done": done})
    else:
        print_table(("Job", "Done"), [(name, f"{count:,}") for name, count in done.items()])
