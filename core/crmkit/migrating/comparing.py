"""How the tables of the database differ from the models of the plugins."""

from collections.abc import Iterator
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.schema import CheckConstraint, Column, SchemaItem, Table
from sqlmodel import SQLModel

from crmkit.bulk import table_of
from crmkit.database import Database
from crmkit.migrating.chains import version_table
from crmkit.migrating.ownership import owners
from crmkit.plugins import LoadedPlugin, PluginRegistry

_COMPARED = ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"]


def check(database: Database, registry: PluginRegistry) -> list[str]:
    """Return one sentence for each difference between models and tables, in plugin order.

    Tables, columns, types, nullability, indexes, unique constraints, foreign keys and named
    checks are compared; tables of plugins that are not on are left out.
    """
    with database.read() as session:
        connection = session.connection()
        found = owners(connection, registry)
        return [
            f"{loaded.name}: {sentence}"
            for loaded in registry.plugins
            for difference in _differences(connection, loaded, found)
            for sentence in _sentences(difference)
        ]


def _differences(connection: Connection, loaded: LoadedPlugin, found: dict[str, str]) -> list[Any]:
    """Compare one plugin's tables, and nothing else of the database."""
    modelled = {table_of(model).name for model in loaded.models}
    real = {table for table, owner in found.items() if owner == loaded.name}
    mine = modelled | real - {version_table(loaded.name)}

    def is_mine(item: SchemaItem, name: str | None, kind: str, *_: Any) -> bool:
        return kind != "table" or name in mine

    def is_my_name(name: str | None, kind: str, _parents: Any) -> bool:
        return kind != "table" or name in mine

    context = MigrationContext.configure(
        connection,
        opts={
            "version_table": version_table(loaded.name),
            "include_object": is_mine,
            "include_name": is_my_name,
            "autogenerate_plugins": _COMPARED,
        },
    )
    return list(compare_metadata(context, SQLModel.metadata))


def _sentences(difference: Any) -> Iterator[str]:
    """Say what Alembic found: one tuple, or a list of tuples for a changed column."""
    if isinstance(difference, list):
        for change in difference:
            what, _schema, table, column, _known, real, modelled = change
            aspect = what.removeprefix("modify_")
            yield f"column {table}.{column}: {aspect} is {real!r}, the models say {modelled!r}"
        return
    action, item = difference[0], difference[-1]
    missing = action.startswith("add_")
    where = "is missing from the database" if missing else "is in the database only"
    yield f"{_described(action, item, difference)} {where}"


def _described(action: str, item: Any, difference: tuple[Any, ...]) -> str:
    kind = "check" if isinstance(item, CheckConstraint) else action.partition("_")[2]
    if isinstance(item, Table):
        return f"table {item.name}"
    if isinstance(item, Column):
        return f"column {difference[-2]}.{item.name}"
    if kind == "fk":
        columns = ", ".join(item.column_keys)
        return f"foreign key {item.parent.name}({columns}) to {item.referred_table.name}"
    return f"{kind} {item.name or 'without a name'} of table {item.table.name}"
