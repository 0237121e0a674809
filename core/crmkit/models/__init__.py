"""Core's tables. Facts are immutable; everything under metrics can be rebuilt from them."""

from crmkit.models.access import AccessToken
from crmkit.models.customers import (
    ContactKind,
    ContactPoint,
    Customer,
    CustomerAddress,
    CustomerExternalId,
    CustomerTag,
    Gender,
    Lifecycle,
)
from crmkit.models.imports import ImportRun
from crmkit.models.interactions import Direction, Interaction
from crmkit.models.metrics import (
    CustomerCategoryMetrics,
    CustomerDay,
    CustomerMetrics,
    CustomerStoreMetrics,
)
from crmkit.models.transactions import LineKind, Transaction, TransactionKind, TransactionLine

CORE_MODELS = (
    Customer,
    ContactPoint,
    CustomerAddress,
    CustomerExternalId,
    CustomerTag,
    Transaction,
    TransactionLine,
    Interaction,
    CustomerMetrics,
    CustomerDay,
    CustomerCategoryMetrics,
    CustomerStoreMetrics,
    AccessToken,
    ImportRun,
)

__all__ = [
    "CORE_MODELS",
    "AccessToken",
    "ContactKind",
    "ContactPoint",
    "Customer",
    "CustomerAddress",
    "CustomerCategoryMetrics",
    "CustomerDay",
    "CustomerExternalId",
    "CustomerMetrics",
    "CustomerStoreMetrics",
    "CustomerTag",
    "Direction",
    "Gender",
    "ImportRun",
    "Interaction",
    "Lifecycle",
    "LineKind",
    "Transaction",
    "TransactionKind",
    "TransactionLine",
]
