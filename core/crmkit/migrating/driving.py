"""Upgrade, downgrade and state of all chains together."""

from dataclasses import dataclass

from sqlalchemy import Connection

from crmkit.database import Database
from crmkit.errors import DatabaseNotReady, PluginError, Refused
from crmkit.migrating.chains import BASE, Chain, load_chains
from crmkit.migrating.ownership import migrated
from crmkit.migrating.stepping import Step, climb, descend, revision_at
from crmkit.migrating.turns import migrating
from crmkit.plugins import CORE, PluginRegistry


@dataclass(frozen=True, slots=True)
class Current:
    """How far a plugin's tables have come.

    Attributes:
        at: the newest revision that has run; None if none has.
        head: the newest revision of the code; None for an orphan.
        is_orphan: the tables are there, but the plugin is off or gone.
    """

    plugin: str
    at: str | None
    head: str | None
    is_orphan: bool = False


def upgrade(database: Database, registry: PluginRegistry, plugin: str | None = None) -> list[Step]:
    """Bring tables to the newest revision; each plugin as a whole or not at all.

    Args:
        plugin: upgrade this one, and what it requires; None upgrades all that are on.

    Returns:
        The steps that were run; empty if there was nothing to do.

    Raises:
        PluginError: a step failed, or the database is newer than the plugin's code. Plugins
            before it are upgraded, this one is as it was.
        DatabaseBusy: another process writes the SQLite file.
    """
    wanted = _with_required(registry, plugin) if plugin else {p.name for p in registry.plugins}
    chains = [chain for chain in load_chains(registry) if chain.plugin in wanted]
    database.create()
    done: list[Step] = []
    for chain in _behind(database, chains):
        with migrating(database) as connection:
            # Another process may have upgraded while this one waited: look again.
            done += climb(connection, chain)
    return done


def downgrade(database: Database, registry: PluginRegistry, plugin: str, to: str) -> list[Step]:
    """Take a plugin's tables back to an earlier revision.

    Args:
        to: the revision to stop at, or `base` for no tables at all.

    Raises:
        Refused: a plugin that requires this one still has its tables.
        PluginError: the plugin is off, does not know the revision, or a step failed; then
            everything is as it was.
    """
    chain = next((each for each in load_chains(registry) if each.plugin == plugin), None)
    if chain is None:
        raise PluginError(plugin, "is not on or has no migrations, so it cannot be downgraded")
    target = None if to == BASE else to
    if target not in (None, *(script.revision for script in chain.scripts)):
        raise PluginError(plugin, f"has no revision {to!r}")
    with migrating(database) as connection:
        _refuse_needed(connection, registry, plugin)
        at = revision_at(connection, plugin)
        if chain.position(target) > chain.position(at):
            raise Refused(f"plugin {plugin!r} is at {at or BASE!r}, which is before {to!r}")
        return descend(connection, chain, target)


def current(database: Database, registry: PluginRegistry) -> list[Current]:
    """Return how far each plugin's tables have come; orphans last."""
    chains = load_chains(registry)
    known = {chain.plugin for chain in chains}
    with database.read() as session:
        connection = session.connection()
        states = [
            Current(chain.plugin, revision_at(connection, chain.plugin), chain.head)
            for chain in chains
        ]
        orphans = sorted(migrated(connection) - known)
        return states + [
            Current(name, revision_at(connection, name), None, is_orphan=True) for name in orphans
        ]


def pending(database: Database, registry: PluginRegistry) -> list[str]:
    """Return the plugins whose tables are older than their code.

    Raises:
        PluginError: the tables of a plugin are newer than its code.
    """
    return [chain.plugin for chain in _behind(database, load_chains(registry))]


def require_ready(database: Database, registry: PluginRegistry) -> None:
    """Do nothing if every plugin's tables are as new as its code.

    Raises:
        DatabaseNotReady: they are older; the message says what to run.
        PluginError: the tables of a plugin are newer than its code.
    """
    waiting = pending(database, registry)
    if waiting:
        raise DatabaseNotReady(
            f"the tables of {', '.join(waiting)} are missing or older than the code; "
            "run: crmkit db upgrade"
        )


def _behind(database: Database, chains: list[Chain]) -> list[Chain]:
    with database.read() as session:
        connection = session.connection()
        return [
            chain
            for chain in chains
            if chain.position(revision_at(connection, chain.plugin)) < len(chain.scripts)
        ]


def _with_required(registry: PluginRegistry, plugin: str) -> set[str]:
    if plugin not in registry:
        raise PluginError(plugin, "is not on")
    wanted = {CORE}
    waiting = [plugin]
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += registry[name].manifest.requires
    return wanted


def _refuse_needed(connection: Connection, registry: PluginRegistry, plugin: str) -> None:
    """Refuse while the tables of a plugin that requires this one are there."""
    for other in sorted(migrated(connection) - {plugin}):
        needs = plugin == CORE or (other in registry and plugin in _with_required(registry, other))
        if needs and revision_at(connection, other) is not None:
            raise Refused(
                f"plugin {plugin!r} cannot be downgraded while {other!r}, which requires it, "
                f"has tables; run first: crmkit db downgrade {other} {BASE}"
            )
