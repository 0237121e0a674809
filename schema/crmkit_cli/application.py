"""All commands under their names."""

from collections.abc import Callable
from typing import Any

import typer

from crmkit_cli import (
    database,
    demo,
    imports,
    init,
    jobs,
    plugin_commands,
    plugins,
    rebuild,
    schema,
    schema_explain,
    serve,
    tokens,
    version,
)
from crmkit_cli.refusing import refusing

_EPILOG = (
    "Plugins add commands under their names, such as: crmkit loyalty verify. "
    "Exit codes: 0 done, 1 refused or differences found, 2 wrong use, 130 interrupted."
)


def application() -> typer.Typer:
    """Return the command line, ready to be called."""
    app = _group("A CRM framework for retailers: one customer record, one GraphQL API.", _EPILOG)
    app.info.cls = plugin_commands.WithPlugins
    _add(app, "init", init.init)
    _add(app, "demo", demo.demo)
    _add(app, "serve", serve.serve)
    app.add_typer(_imports(), name="import")
    app.add_typer(_database(), name="db")
    app.add_typer(_plugins(), name="plugins")
    app.add_typer(_schema(), name="schema")
    _add(app, "rebuild", rebuild.rebuild)
    app.add_typer(_jobs(), name="jobs")
    app.add_typer(_tokens(), name="token")
    _add(app, "version", version.version)
    return app


def _imports() -> typer.Typer:
    group = _group("Bring data in from files.")
    _add(group, "transactions", imports.transactions)
    return group


def _database() -> typer.Typer:
    group = _group("Create and change the tables.")
    _add(group, "upgrade", database.upgrade)
    _add(group, "downgrade", database.downgrade)
    _add(group, "current", database.current)
    _add(group, "check", database.check)
    return group


def _plugins() -> typer.Typer:
    group = _group("Show the plugins, and remove what one left behind.", is_command=True)
    group.callback(invoke_without_command=True)(refusing(plugins.plugins))
    _add(group, "purge", plugins.purge)
    return group


def _schema() -> typer.Typer:
    group = _group("The GraphQL schema of these plugins.")
    _add(group, "export", schema.export)
    _add(group, "explain", schema_explain.explain)
    return group


def _jobs() -> typer.Typer:
    group = _group("List the jobs of the plugins, or run some.", is_command=True)
    group.callback(invoke_without_command=True)(refusing(jobs.jobs))
    _add(group, "run", jobs.run)
    return group


def _tokens() -> typer.Typer:
    group = _group("Who may use the API.")
    _add(group, "create", tokens.create)
    _add(group, "revoke", tokens.revoke)
    _add(group, "list", tokens.list_tokens)
    return group


def _group(help_text: str, epilog: str | None = None, *, is_command: bool = False) -> typer.Typer:
    return typer.Typer(
        help=help_text,
        epilog=epilog,
        no_args_is_help=not is_command,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def _add(app: typer.Typer, name: str, command: Callable[..., Any]) -> None:
    app.command(name)(refusing(command))
