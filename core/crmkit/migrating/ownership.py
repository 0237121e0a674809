"""Which table of the database belongs to which plugin."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, inspect

from crmkit.bulk import table_of
from crmkit.migrating.chains import VERSION_SUFFIX
from crmkit.plugins import PluginRegistry


def owner_of(table: str, declared: Mapping[str, str], plugins: Collection[str]) -> str | None:
    """Return the plugin a table belongs to; None if it is none's.

    Args:
        declared: owner by table name, for the tables of plugins that are on.
        plugins: every plugin that is known; the longest name that fits as prefix wins.
    """
    if table in declared:
        return declared[table]
    fitting = [name for name in plugins if table == name or table.startswith(f"{name}_")]
    return max(fitting, key=len, default=None)


def owners(connection: Connection, registry: PluginRegistry, *more: str) -> dict[str, str]:
    """Return the owner of every table of the database that belongs to a plugin.

    Args:
        more: plugins to look for besides those that are on or have a version table.
    """
    declared = {
        table_of(model).name: loaded.name for loaded in registry.plugins for model in loaded.models
    }
    plugins = {loaded.name for loaded in registry.plugins} | migrated(connection) | set(more)
    found = {}
    for table in inspect(connection).get_table_names():
        owner = owner_of(table, declared, plugins)
        if owner is not None:
            found[table] = owner
    return found


def migrated(connection: Connection) -> set[str]:
    """Return the plugins that have a version table, whether they are on or not."""
    inspector = inspect(connection)
    return {
        table.removesuffix(VERSION_SUFFIX)
        for table in inspector.get_table_names()
        if table.endswith(VERSION_SUFFIX)
        # A plugin may have a table of that name for its own purposes.
        and [column["name"] for column in inspector.get_columns(table)] == ["version_num"]
    }
