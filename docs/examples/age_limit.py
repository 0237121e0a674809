"""Age limits: refuses to record sales of restricted goods to customers known to be too young."""

from datetime import date
from typing import ClassVar

from pydantic import BaseModel
from sqlmodel import Session, col, select

from crmkit import Plugin, Refused, TransactionBatch, hookimpl
from crmkit.models import Customer


class Options(BaseModel):
    """For each restricted category, the age in years from which it may be sold."""

    years_min: dict[str, int] = {}


class TooYoung(Refused):
    """Somebody under age bought a restricted article."""

    code: ClassVar[str] = "TOO_YOUNG"

    def __init__(self, external_id: str, category: str, years_min: int) -> None:
        self.external_id = external_id
        super().__init__(f"{external_id}: {category} is sold from the age of {years_min}")


plugin = Plugin("age_limit", "1.0", "Refuses restricted goods to minors.", settings=Options)


def age(birth_on: date, on: date) -> int:
    """Return the age in whole years."""
    return on.year - birth_on.year - ((on.month, on.day) < (birth_on.month, birth_on.day))


@hookimpl
def check_transactions(session: Session, batch: TransactionBatch, settings: Options) -> None:
    """Look up all buyers of restricted goods at once; refuse if one of them is too young."""
    restricted = [
        (sale, line.category, settings.years_min[line.category])
        for sale in batch.transactions
        for line in sale.lines
        if sale.customer_id and line.quantity_milli > 0 and line.category in settings.years_min
    ]
    buyers = {sale.customer_id for sale, _, _ in restricted}
    known = select(col(Customer.id), col(Customer.birth_on)).where(col(Customer.id).in_(buyers))
    birthdays = dict(session.execute(known).tuples().all())
    for sale, category, years_min in restricted:
        birth_on = birthdays.get(sale.customer_id)
        if birth_on is not None and age(birth_on, sale.business_on) < years_min:
            raise TooYoung(sale.external_id, category, years_min)
