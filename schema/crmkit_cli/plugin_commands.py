"""`crmkit PLUGIN COMMAND`: commands that plugins bring."""

from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from crmkit_cli.opening import opened
from crmkit_cli.options import HERE, AsJson, AsPage, DataDir
from crmkit_cli.plugin_options import read_options
from crmkit_cli.printing import print_json, print_table
from crmkit_cli.refusing import REFUSED, refusing
from crmkit_cli.report_page import page_of

if TYPE_CHECKING:
    from crmkit import Command, Findings, Report

_SHOWN_MAX = 20
_PASSED_ON = {"ignore_unknown_options": True, "allow_extra_args": True}


class WithPlugins(TyperGroup):
    """The words of the command line: crmkit's own, then names of plugins.

    Which plugins there are is known only once the data directory is.
    """

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of a word; any other word is taken for a plugin's name."""
        found = super().get_command(ctx, cmd_name)
        if found is None and cmd_name.isidentifier():
            return _commands_of(cmd_name)
        return found


def _commands_of(plugin: str) -> Any:
    """Return what runs a command of the plugin that has the name, if there is one."""

    def run(
        context: typer.Context,
        command: Annotated[str | None, typer.Argument(help="None lists them.")] = None,
        data_dir: DataDir = HERE,
        as_json: AsJson = False,
        report: AsPage = None,
    ) -> None:
        if command == "--help":
            print(context.get_help())
            return
        with opened(data_dir) as crm:
            commands = {c.name: c for owner, c in crm.registry.commands if owner.name == plugin}
            if not commands:
                _refuse_word(context, plugin)
            if command is None:
                _list(list(commands.values()), as_json)
                return
            if command not in commands:
                raise typer.BadParameter(
                    f"{command!r}; there are: {', '.join(commands)}", param_hint="COMMAND"
                )
        values = read_options(context, commands[command], context.args)
        if report is not None and not report.parent.is_dir():
            raise typer.BadParameter(f"there is no folder {report.parent}", param_hint="--report")
        with opened(data_dir, must_be_ready=True) as crm:
            said = commands[command].run(crm, values)
        if report is not None:
            report.write_text(page_of(said, f"crmkit {plugin} {command}"), encoding="utf-8")
        _print(said, as_json)

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(
        plugin,
        help=f"Commands of the plugin {plugin}; without one, lists them.",
        add_help_option=False,  # which help is asked for is known behind the command's name
        context_settings=_PASSED_ON,
    )(refusing(run))
    return typer.main.get_command(app)


def _refuse_word(context: typer.Context, word: str) -> None:
    """Say that there is no such word, as for any other wrong use."""
    above: Any = context.parent
    near = get_close_matches(word, list(above.command.commands))
    meant = f" Did you mean {', '.join(map(repr, near))}?" if near else ""
    above.fail(f"No such command {word!r}, and no plugin of that name brings any.{meant}")


def _list(commands: "list[Command]", as_json: bool) -> None:
    if as_json:
        print_json({"commands": [{"name": c.name, "summary": c.summary} for c in commands]})
    else:
        print_table(("Command", "What it does"), [(c.name, c.summary) for c in commands])


def _print(report: "Report", as_json: bool) -> None:
    if as_json:
        found = {each.name: _objects(each) for each in report.findings}
        print_json({"is_good": report.is_good, **found})
    else:
        for note in report.notes:
            print(note)
        for each in report.findings:
            if each.rows:
                headings = [name.replace("_", " ").capitalize() for name in each.columns]
                print_table(headings, each.rows[:_SHOWN_MAX])
                if len(each.rows) > _SHOWN_MAX:
                    print(f"and {len(each.rows) - _SHOWN_MAX:,} more; --json lists them")
    if not report.is_good:
        raise typer.Exit(REFUSED)


def _objects(found: "Findings") -> list[dict[str, Any]]:
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]
