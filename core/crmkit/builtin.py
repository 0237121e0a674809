"""Core's own part of the plugin contract: tables, kinds, permissions, metrics, rebuilders."""

from collections.abc import Sequence

from crmkit import daily_metrics, metrics
from crmkit.contributions import InteractionKind, Metric, Models, Rebuilder
from crmkit.hookspecs import hookimpl
from crmkit.manifest import API_VERSION, Permission, Plugin
from crmkit.models import CORE_MODELS

_ALL = ("manager", "clerk", "analyst")

plugin = Plugin(
    name="core",
    version=API_VERSION,
    summary="Customers, transactions and interactions.",
    permissions=(
        Permission(
            "core.use", "Use the API: node look-ups, the list of modules.", (*_ALL, "recorder")
        ),
        Permission("customers.read", "See customers and their figures.", _ALL),
        Permission(
            "customers.contact", "See how to reach customers, and find them by it.", _ALL[:2]
        ),
        Permission("customers.write", "Create and change customers.", (*_ALL[:2], "recorder")),
        Permission("transactions.read", "See transactions.", _ALL),
        Permission("transactions.write", "Record transactions.", (*_ALL[:2], "recorder")),
        Permission("interactions.read", "See interactions.", _ALL[:2]),
        Permission("interactions.write", "Record interactions.", (*_ALL[:2], "recorder")),
        Permission("jobs.run", "Run the jobs of plugins.", ("manager",)),
    ),
)


@hookimpl
def register_models() -> Models:
    """Core's tables."""
    return CORE_MODELS


@hookimpl
def register_migrations() -> str:
    """Core's migration folder."""
    return "crmkit:migrations"


@hookimpl
def register_interaction_kinds() -> Sequence[InteractionKind]:
    """The kinds every retailer knows; plugins add their own."""
    return (
        InteractionKind("inquiry", "The customer asked something."),
        InteractionKind("complaint", "The customer complained."),
        InteractionKind("suggestion", "The customer proposed something."),
        InteractionKind("review", "The customer rated a product or service.", has_rating=True),
        InteractionKind("call", "A telephone call."),
        InteractionKind("message", "A message in either direction."),
        InteractionKind("visit", "The customer came by."),
        InteractionKind("note", "A member of staff noted something."),
        InteractionKind("view", "The customer looked at a product.", frozenset({"url"})),
        InteractionKind("search", "The customer searched.", frozenset({"query", "results"})),
        InteractionKind("favourite", "The customer marked a product."),
        InteractionKind(
            "cart", "The customer changed the cart.", frozenset({"action", "quantity"})
        ),
    )


@hookimpl
def register_metrics() -> Sequence[Metric]:
    """What customers bought, day by day."""
    return daily_metrics.METRICS


@hookimpl
def register_rebuilders() -> Sequence[Rebuilder]:
    """Metrics follow from transactions."""
    return (Rebuilder("metrics", metrics.check, metrics.rebuild),)
