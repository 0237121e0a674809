"""Age limits: refuses to record sales of restricted goods to customers known to be too young."""

from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel
from sqlmodel import Session, col, select

from crmkit import Plugin, Refusal, TransactionBatch, hookimpl
from crmkit.models import Customer


class Options(BaseModel):
    """For each restricted category, the age in years from which it may be sold."""

    years_min: dict[str, int] = {}


plugin = Plugin("age_limit", "1.0", "Refuses restricted goods to minors.", settings=Options)


def age(birth_on: date, on: date) -> int:
    """Return the age in whole years."""
    return on.year - birth_on.year - ((on.month, on.day) < (birth_on.month, birth_on.day))


@hookimpl
def check_transactions(
    session: Session, batch: TransactionBatch, settings: Options
) -> Sequence[Refusal]:
    """Look up all buyers of restricted goods at once; refuse each sale to one who is too young."""
    restricted = [
        (sale, line.position, settings.years_min[line.category])
        for sale in batch.transactions
        for line in sale.lines
        if sale.customer_id and line.quantity_milli > 0 and line.category in settings.years_min
    ]
    buyers = {sale.customer_id for sale, _, _ in restricted}
    known = select(col(Customer.id), col(Customer.birth_on)).where(col(Customer.id).in_(buyers))
    birthdays = {row.id: row.birth_on for row in session.execute(known)}
    return [
        Refusal(sale.id, "TOO_YOUNG", f"sold from the age of {years}", f"lines[{position - 1}]")
        for sale, position, years in restricted
        if (birth_on := birthdays.get(sale.customer_id)) and age(birth_on, sale.business_on) < years
    ]
