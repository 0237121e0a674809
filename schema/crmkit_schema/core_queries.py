"""Core's root queries."""

from collections.abc import Sequence
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, FromClause, exists
from strawberry import Info

from crmkit import models, table_of
from crmkit.contact import ContactError, normalise_email, normalise_phone
from crmkit.manifest import API_VERSION
from crmkit_schema.connections import Connection
from crmkit_schema.customer_types import Customer
from crmkit_schema.declarations import connection, found_by, resolved
from crmkit_schema.interaction_types import Interaction
from crmkit_schema.nodes import fetch_nodes, stored_id
from crmkit_schema.object_types import Node, value_type
from crmkit_schema.sources import Key
from crmkit_schema.specs import PUBLIC
from crmkit_schema.transaction_types import Transaction


@strawberry.input(description="A record's name in another system.")
class ExternalIdInput:
    """A pair that is unique in crmkit."""

    source: str = strawberry.field(description="The other system.")
    external_id: str = strawberry.field(description="Its name for the record.")


def _is_id(rows: FromClause, value: ColumnElement[Any]) -> ColumnElement[bool]:
    return rows.c.id == value


def _customer_named(rows: FromClause, value: Any) -> ColumnElement[bool]:
    link = table_of(models.CustomerExternalId).alias()
    return exists().where(
        link.c.customer_id == rows.c.id,
        link.c.source == value["source"],
        link.c.external_id == value["externalId"],
    )


def _transaction_named(rows: FromClause, value: Any) -> ColumnElement[bool]:
    found = (rows.c.source == value["source"]) & (rows.c.external_id == value["externalId"])
    return found  # type: ignore[no-any-return]


def _reachable(kind: models.ContactKind) -> Any:
    def where(rows: FromClause, value: ColumnElement[Any]) -> ColumnElement[bool]:
        point = table_of(models.ContactPoint).alias()
        return exists().where(
            point.c.customer_id == rows.c.id, point.c.kind == kind, point.c.value == value
        )

    return where


def _phone(value: str, context: Any) -> str | None:
    context.require(["customers.contact"])
    try:
        return normalise_phone(value, context.crm.settings.country)
    except ContactError:
        return None


def _email(value: str, context: Any) -> str | None:
    context.require(["customers.contact"])
    try:
        return normalise_email(value)
    except ContactError:
        return None


@value_type
class Module:
    """A plugin that is on."""

    name: str = strawberry.field(description="Its name.")
    version: str = strawberry.field(description="Its version.")
    summary: str = strawberry.field(description="What it does.")
    schema: list[str] = strawberry.field(description="The types and fields it contributes.")
    interaction_kinds: list[str] = strawberry.field(description="The interaction kinds it knows.")


@value_type
class Modules:
    """What this server can do."""

    api_version: str = strawberry.field(description="Version of the plugin contract.")
    plugins: list[Module] = strawberry.field(description="The plugins that are on, core first.")


@strawberry.type
class CoreQuery:
    """Core's root fields."""

    customer: Customer | None = found_by(
        "One customer, named in exactly one way; null if there is none. By phone or e-mail the "
        "longest known customer who has it.",
        id=Key(strawberry.ID, "Global id.", _is_id, stored_id("cus")),
        external_id=Key(ExternalIdInput, "Name in another system.", _customer_named),
        phone=Key(
            str, "Phone number in any spelling.", _reachable(models.ContactKind.PHONE), _phone
        ),
        email=Key(str, "E-mail address.", _reachable(models.ContactKind.EMAIL), _email),
    )
    transaction: Transaction | None = found_by(
        "One transaction, named in exactly one way; null if there is none.",
        id=Key(strawberry.ID, "Global id.", _is_id, stored_id("txn")),
        external_id=Key(ExternalIdInput, "Name in another system.", _transaction_named),
    )
    customers: Connection[Customer] = connection("All customers, latest first.")
    transactions: Connection[Transaction] = connection("All transactions, latest first.")
    interactions: Connection[Interaction] = connection("All interactions, latest first.")

    @resolved("Any record by its global id; null if there is none.", permission="core.use")
    def node(self, info: Info, id: strawberry.ID) -> Node | None:
        """Return one node."""
        found: Node | None = fetch_nodes(info, [id])[0]
        return found

    @resolved(
        "Records by their global ids, in the same order, null where there is none; 100 at most.",
        permission="core.use",
    )
    def nodes(self, info: Info, ids: list[strawberry.ID]) -> list[Node | None]:
        """Return several nodes."""
        return fetch_nodes(info, ids)

    @resolved("What this server can do: the plugins that are on.", permission=PUBLIC)
    def modules(self, info: Info) -> Modules:
        """Return the capability list."""
        registry, composition = info.context.crm.registry, info.context.schema.composition
        kinds: Sequence[tuple[Any, Any]] = registry.ask("register_interaction_kinds")
        by_plugin = {loaded.name: [kind.name for kind in some] for loaded, some in kinds}
        return Modules(
            api_version=API_VERSION,
            plugins=[
                Module(
                    name=loaded.name,
                    version=loaded.manifest.version,
                    summary=loaded.manifest.summary,
                    schema=composition.contributed(loaded.name),
                    interaction_kinds=by_plugin.get(loaded.name, []),
                )
                for loaded in registry.plugins
            ],
        )
