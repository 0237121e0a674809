"""The GraphQL side of crmkit: what plugins declare, and the schema composed of it.

What is listed here is the promise; everything else may move.
"""

from crmkit_schema.connections import Connection
from crmkit_schema.context import RequestContext
from crmkit_schema.customer_types import Customer
from crmkit_schema.declarations import (
    computed,
    connection,
    found_by,
    mapped,
    money,
    related,
    resolved,
    subscription,
)
from crmkit_schema.interaction_types import Interaction
from crmkit_schema.mutations import mutation
from crmkit_schema.object_types import Node, object_type, value_type
from crmkit_schema.problems import problem_type
from crmkit_schema.rows import fetch_row, read_id
from crmkit_schema.sources import Codec, Key, bound
from crmkit_schema.specs import PUBLIC
from crmkit_schema.transaction_types import Transaction, TransactionLine
from crmkit_schema.values import Amount, DateInput, DateTimeInput, Long, Money

__all__ = [
    "PUBLIC",
    "Amount",
    "Codec",
    "Connection",
    "Customer",
    "DateInput",
    "DateTimeInput",
    "Interaction",
    "Key",
    "Long",
    "Money",
    "Node",
    "RequestContext",
    "Transaction",
    "TransactionLine",
    "bound",
    "computed",
    "connection",
    "fetch_row",
    "found_by",
    "mapped",
    "money",
    "mutation",
    "object_type",
    "problem_type",
    "read_id",
    "related",
    "resolved",
    "subscription",
    "value_type",
]
