"""What a batch of transactions adds to the key figures of its customers."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from crmkit.batches import RecordedTransaction, TransactionBatch
from crmkit.columns import wire_instant
from crmkit.metrics_queries import COUNTED, SALES
from crmkit.models import LineKind, TransactionKind

Key = tuple[str, str]
"""A customer's id, as `hex`, and a currency."""
KeyAnd = tuple[str, str, str]
"""The same, and a business day, a category or a store."""


class Figures:
    """Sums over one customer's transactions in one currency.

    Attributes:
        first: instant of the earliest sale, as it is written; `last` of the latest.
        net, returned: in minor units.
        quantity: of products, in thousandths.
    """

    __slots__ = ("first", "last", "net", "quantity", "returned", "returns", "sales")

    def __init__(self) -> None:
        self.first: str | None = None
        self.last: str | None = None
        self.sales = self.returns = self.net = self.returned = self.quantity = 0

    def add(self, each: RecordedTransaction, quantity: int) -> None:
        """Count one transaction."""
        self.net += each.total_minor
        self.quantity += quantity
        if each.kind == TransactionKind.RETURN:
            self.returns += 1
            self.returned -= each.total_minor
            return
        self.sales += 1
        at = wire_instant(each.occurred_at)
        self.first = at if self.first is None else min(self.first, at)
        self.last = at if self.last is None else max(self.last, at)


@dataclass(slots=True)
class Sums:
    """What a batch adds.

    Attributes:
        categories: net in minor units, quantity in thousandths and number of lines.
        stores: net in minor units and number of sales.
        buyers: who bought something that the batch does not take back.
        voided: customers whose figures cannot be moved along, since something was voided.
    """

    totals: dict[Key, Figures] = field(default_factory=lambda: defaultdict(Figures))
    days: dict[KeyAnd, Figures] = field(default_factory=lambda: defaultdict(Figures))
    categories: dict[KeyAnd, list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0, 0])
    )
    stores: dict[KeyAnd, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    buyers: list[UUID] = field(default_factory=list)
    voided: list[UUID] = field(default_factory=list)

    def days_with_sales(self) -> set[KeyAnd]:
        """Return the days on which something was sold."""
        return {key for key, figures in self.days.items() if figures.sales}


def sums_of(batch: TransactionBatch) -> Sums:
    """Return what a batch adds."""
    sums = Sums()
    counted = [each for each in batch.transactions if each.customer_id is not None]
    voids = [each for each in counted if each.kind == TransactionKind.VOID]
    voided = {each.customer_id for each in voids if each.customer_id is not None}
    undone = {each.original_id for each in voids}
    _add(
        sums,
        [each for each in counted if each.customer_id not in voided and each.kind in COUNTED],
    )
    sold = (each for each in counted if each.kind in SALES and each.id not in undone)
    sums.buyers = sorted({each.customer_id for each in sold if each.customer_id is not None})
    sums.voided = sorted(voided)
    return sums


def _add(sums: Sums, added: Sequence[RecordedTransaction]) -> None:
    for each in added:
        key = (each.customer_id.hex, each.currency)  # type: ignore[union-attr]
        quantity = 0
        for line in each.lines:
            if line.kind == LineKind.PRODUCT:
                quantity += line.quantity_milli
                if line.category is not None:
                    category = sums.categories[(*key, line.category)]
                    category[0] += line.amount_minor
                    category[1] += line.quantity_milli
                    category[2] += 1
        sums.totals[key].add(each, quantity)
        sums.days[(*key, each.business_on.isoformat())].add(each, quantity)
        if each.store is not None:
            store = sums.stores[(*key, each.store)]
            store[0] += each.total_minor
            store[1] += each.kind in SALES
