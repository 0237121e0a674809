"""Every hook of crmkit, on one page.

There are three kinds, and a hook's name says which it is. `register_*` collects what a plugin
brings, while crmkit starts; it must not touch the database. `check_*` looks at records that are
about to be written and can stop them. A past participle follows records that are in the session,
not yet committed: an error there takes them back, all of them.

A hook works in the session it is given and cannot end it: no commit, no rollback. A write that
lost a race against another writer is run again from the start, its hooks too, so a hook must
have no effect outside the database.

Plugins are called one by one in the order of their `requires`, then by name. An implementation
names only the parameters it wants. `settings` is the plugin's own validated settings model, or
None if it declares none; `metrics` and `interaction_kinds` are all that are registered, by name,
and `services` what plugins offer each other, asked by `services.find(name, version)`. Wrappers
(`hookimpl(wrapper=True)`) are refused.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pluggy
from sqlmodel import Session

from crmkit.batches import CustomerBatch, InteractionBatch, Refusal, TransactionBatch
from crmkit.commands import Command
from crmkit.contributions import (
    InteractionKind,
    Metric,
    Migration,
    Models,
    Rebuilder,
    SchemaContribution,
    Service,
    Services,
)
from crmkit.jobs import Job

hookspec = pluggy.HookspecMarker("crmkit")
hookimpl = pluggy.HookimplMarker("crmkit")


@hookspec
def register_models(settings: Any) -> Models:  # type: ignore[empty-body]
    """Return the SQLModel tables the plugin owns; each name must start with the plugin's name.

    Called once when the plugin is loaded. A table name that is taken stops the start and names
    both owners.
    """


@hookspec
def register_migrations(settings: Any) -> str | Sequence[Migration]:  # type: ignore[empty-body]
    """Return how the plugin's tables come to be: `"package:folder"`, or a list of `Migration`.

    Called by `crmkit db` and at start-up, to tell whether the tables are as new as the code.
    Every plugin has a version table and a history of its own.
    """


@hookspec
def register_graphql(settings: Any) -> SchemaContribution:  # type: ignore[empty-body]
    """Return the types, fields and root fields the plugin adds to the schema.

    Called once each time a schema is built. A name that is taken, or a field without a
    permission, stops the start.
    """


@hookspec
def register_interaction_kinds(settings: Any) -> Sequence[InteractionKind]:  # type: ignore[empty-body]
    """Return the kinds of interaction the plugin understands; others are refused.

    Called once when the plugin is loaded.
    """


@hookspec
def register_metrics(settings: Any) -> Sequence[Metric]:  # type: ignore[empty-body]
    """Return amounts per customer and business day that other plugins may build rules on.

    Called once when the plugin is loaded. A name that is taken stops the start and names both
    owners.
    """


@hookspec
def register_services(  # type: ignore[empty-body]
    settings: Any, metrics: Mapping[str, Metric]
) -> Sequence[Service]:
    """Return functions that other plugins may call without knowing whose they are.

    Called once when the plugin is loaded, after every plugin's metrics are known. A plugin that
    offers a service to another which is off is never called.
    """


@hookspec
def register_rebuilders(settings: Any) -> Sequence[Rebuilder]:  # type: ignore[empty-body]
    """Return how the plugin's derived rows follow from facts.

    Called by `crmkit rebuild`. A table the plugin can lose without loss of facts belongs here.
    """


@hookspec
def register_jobs(  # type: ignore[empty-body]
    settings: Any,
    metrics: Mapping[str, Metric],
    services: Services,
    interaction_kinds: Mapping[str, InteractionKind],
) -> Sequence[Job]:
    """Return the work that the plugin does now and then; each name starts with the plugin's.

    Called once when the plugin is loaded, and whenever jobs are run: by `crmkit jobs run`, the
    mutation `runJob` or `Crm.run_job`. crmkit runs nothing by itself.
    """


@hookspec
def register_commands(settings: Any) -> Sequence[Command]:  # type: ignore[empty-body]
    """Return what the plugin adds to the command line, as `crmkit <plugin> <command>`.

    Called once when the plugin is loaded, and by the command line. A command that is there twice,
    or a plugin named like one of crmkit's own commands, stops the start.
    """


@hookspec
def check_transactions(
    session: Session, batch: TransactionBatch, settings: Any
) -> Sequence[Refusal] | None:
    """Return a `Refusal` for each transaction that must not be written; None if all are fine.

    Called inside the writing session, after crmkit's own checks and before the first row is
    written; the batch holds new transactions only, with the ids they will have. What becomes of
    the others is up to the batch's error policy. Raising `Refused` refuses the whole batch; any
    other exception does too and is reported under the plugin's name.
    """


@hookspec
def transactions_recorded(
    session: Session,
    batch: TransactionBatch,
    settings: Any,
    metrics: Mapping[str, Metric],
    services: Services,
) -> None:
    """Follow transactions that were just written, inside the same database transaction.

    The batch holds new transactions only: a repeated one calls no hook. Rows, and metrics, can
    be read through `session`. No other batch that touches the same customers runs meanwhile.
    Any exception undoes the whole batch.
    """


@hookspec
def transactions_attached(
    session: Session,
    batch: TransactionBatch,
    settings: Any,
    metrics: Mapping[str, Metric],
    services: Services,
) -> None:
    """Follow anonymous transactions that were just given to a customer, as if recorded now.

    Called inside the attaching session; `customer_id` is set on every transaction of the batch.
    Any exception undoes the whole batch.
    """


@hookspec
def interactions_recorded(
    session: Session, batch: InteractionBatch, settings: Any, services: Services
) -> None:
    """Follow interactions that were just written, inside the same database transaction.

    The batch holds new interactions only. Any exception undoes the whole batch.
    """


@hookspec
def customers_upserted(
    session: Session, batch: CustomerBatch, settings: Any, services: Services
) -> None:
    """Follow customers that were just created or changed, inside the same database transaction.

    Also called for customers that recording a transaction created. Any exception undoes the
    whole batch.
    """
