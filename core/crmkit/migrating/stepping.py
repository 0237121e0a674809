"""Running the steps of one chain, and reading how far its tables have come."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from sqlalchemy import Connection

from crmkit.errors import PluginError
from crmkit.migrating.chains import Chain, version_table
from crmkit.migrating.turns import refuse_broken_references

# `alembic.op` is one object per process, and migrations write to the database it is bound to.
_op_is_bound = threading.Lock()


@dataclass(frozen=True, slots=True)
class Step:
    """One revision that was run.

    Attributes:
        plugin: whose tables it changed.
        revision: its name, unique inside the plugin.
        direction: whether it was made or taken back.
    """

    plugin: str
    revision: str
    direction: Literal["upgrade", "downgrade"]


def revision_at(connection: Connection, plugin: str) -> str | None:
    """Return the newest revision of a plugin that has run; None if none has.

    Raises:
        PluginError: the version table holds several, which no chain leads to.
    """
    heads = _context(connection, plugin).get_current_heads()
    if len(heads) > 1:
        raise PluginError(
            plugin, f"{version_table(plugin)} holds {len(heads)} revisions; restore a backup"
        )
    return heads[0] if heads else None


def climb(connection: Connection, chain: Chain) -> list[Step]:
    """Bring a plugin's tables to the newest revision, inside the caller's transaction.

    Raises:
        PluginError: a step failed; the caller's transaction must be undone.
    """
    at = revision_at(connection, chain.plugin)
    return _run(connection, chain.plugin, chain.steps_up(at), "upgrade")


def descend(connection: Connection, chain: Chain, to: str | None) -> list[Step]:
    """Take a plugin's tables back to revision `to`, inside the caller's transaction.

    Args:
        to: the revision to stop at; None takes everything back.

    Raises:
        PluginError: a step failed; the caller's transaction must be undone.
    """
    at = revision_at(connection, chain.plugin)
    return _run(connection, chain.plugin, chain.steps_down(at, to), "downgrade")


def _run(
    connection: Connection,
    plugin: str,
    steps: Sequence[MigrationStep],
    direction: Literal["upgrade", "downgrade"],
) -> list[Step]:
    if not steps:
        return []
    revisions = [_revision(step) for step in steps]
    applied: list[Any] = []
    context = _context(
        connection,
        plugin,
        fn=lambda _heads, _context: steps,
        on_version_apply=[lambda **step: applied.append(step)],
    )
    failure = _attempt(context)
    if failure is not None:
        raise PluginError(
            plugin,
            f"the {direction} {revisions[len(applied)]!r} failed: {_reason(failure)}; "
            "nothing of it was kept",
        ) from failure
    refuse_broken_references(connection, plugin)
    return [Step(plugin, revision, direction) for revision in revisions]


def _attempt(context: MigrationContext) -> BaseException | None:
    """Run the steps; return what a step raised, for Alembic frees its `op` on success only."""
    with _op_is_bound, Operations.context(context):
        try:
            context.run_migrations()
        except (Exception, SystemExit) as error:
            return error
    return None


def _context(connection: Connection, plugin: str, **options: Any) -> MigrationContext:
    table = {"version_table": version_table(plugin)}
    return MigrationContext.configure(connection, opts={**table, **options})


def _revision(step: MigrationStep) -> str:
    (revision,) = step.to_revisions_no_deps if step.is_upgrade else step.from_revisions_no_deps
    return revision


def _reason(error: BaseException) -> str:
    # SQLAlchemy wraps the driver's error in the statement and a link.
    cause = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {' '.join(str(cause).split())}"
