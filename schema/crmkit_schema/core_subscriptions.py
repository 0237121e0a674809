"""Core's root subscriptions."""

import strawberry

from crmkit.announcements import CUSTOMER_CHANGED, TRANSACTION_RECORDED
from crmkit_schema.customer_types import Customer
from crmkit_schema.declarations import subscription
from crmkit_schema.transaction_types import Transaction


@strawberry.type
class CoreSubscription:
    """Core's subscriptions."""

    customer_changed: Customer = subscription(
        "A customer that was created or changed, or whose key figures moved with a transaction.",
        event=CUSTOMER_CHANGED,
        permission="customers.read",
    )
    transaction_recorded: Transaction = subscription(
        "A transaction that was recorded, or given to its customer later.",
        event=TRANSACTION_RECORDED,
        permission="transactions.read",
    )
