"""Removing a plugin's tables and data for good."""

from sqlalchemy import Connection, inspect

from crmkit import discovery
from crmkit.database import Database
from crmkit.errors import PluginError, Refused
from crmkit.migrating.chains import Chain, load_chains
from crmkit.migrating.ownership import owners
from crmkit.migrating.stepping import descend, revision_at
from crmkit.migrating.turns import migrating, refuse_broken_references
from crmkit.plugins import CORE, LoadedPlugin, PluginRegistry


def purge(database: Database, registry: PluginRegistry, plugin: str) -> list[str]:
    """Drop a plugin's tables with everything in them, and its version table.

    Works for plugins that are on, that are off, and whose code is gone: steps that can be
    loaded are taken back, then every table that still carries the plugin's name is dropped.

    Returns:
        The tables that were dropped, by name.

    Raises:
        Refused: it is core, or something that stays needs it; nothing was dropped.
        PluginError: one of the plugin's own steps failed; nothing was dropped.
    """
    _refuse_needed(registry, plugin)
    with migrating(database) as connection:
        before = _tables(connection, registry, plugin)
        if not before:
            raise Refused(f"plugin {plugin!r} has no tables in this database")
        _refuse_referred(connection, registry, plugin)
        chain = _loadable_chain(registry, plugin)
        if chain is not None and _is_known(connection, chain):
            descend(connection, chain, to=None)
        _drop(connection, _tables(connection, registry, plugin))
        refuse_broken_references(connection, plugin)
    return sorted(before)


def _refuse_needed(registry: PluginRegistry, plugin: str) -> None:
    if plugin == CORE:
        raise Refused("core's tables hold every fact and cannot be purged")
    needing = [loaded.name for loaded in registry.plugins if plugin in loaded.manifest.requires]
    if needing:
        raise Refused(
            f"plugin {plugin!r} cannot be purged: {', '.join(needing)} requires it; "
            "switch that off first"
        )


def _refuse_referred(connection: Connection, registry: PluginRegistry, plugin: str) -> None:
    """Refuse while a table of somebody else refers to one of the plugin's."""
    found = owners(connection, registry, plugin)
    for (_schema, table), keys in inspect(connection).get_multi_foreign_keys().items():
        for key in keys:
            target = key["referred_table"]
            if found.get(table) != plugin and found.get(target) == plugin:
                owner = found.get(table, "nobody crmkit knows")
                raise Refused(
                    f"plugin {plugin!r} cannot be purged: table {table!r} of {owner} "
                    f"refers to {target!r}; purge that first"
                )


def _tables(connection: Connection, registry: PluginRegistry, plugin: str) -> set[str]:
    found = owners(connection, registry, plugin)
    return {table for table, owner in found.items() if owner == plugin}


def _loadable_chain(registry: PluginRegistry, plugin: str) -> Chain | None:
    """Return the plugin's chain if its code can still be had, on or off."""
    try:
        if plugin not in registry:
            found = discovery.load_installed(plugin)
            off = LoadedPlugin(found.manifest, found.implementation, found.origin, None)
            registry = PluginRegistry((off,))
        chains = load_chains(registry)
    except PluginError:
        return None
    return next((chain for chain in chains if chain.plugin == plugin), None)


def _is_known(connection: Connection, chain: Chain) -> bool:
    """Tell whether the code knows the revision that the tables are at."""
    at = revision_at(connection, chain.plugin)
    return at is None or any(script.revision == at for script in chain.scripts)


def _drop(connection: Connection, tables: set[str]) -> None:
    quote = connection.dialect.identifier_preparer.quote
    names = [quote(table) for table in sorted(tables)]
    # PostgreSQL drops tables that refer to each other only together; SQLite knows no lists.
    groups = [", ".join(names)] if connection.dialect.name == "postgresql" else names
    for group in filter(None, groups):
        connection.exec_driver_sql(f"DROP TABLE {group}")
