"""Recording the demo retailer once, and recognising one that is recorded."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from crmkit_cli.progress import Report

if TYPE_CHECKING:
    from crmkit import Crm
    from crmkit.demo import DemoRetailer

T = TypeVar("T")
_BATCH = 500


def truth_file(data_dir: Path) -> Path:
    """Return where the truth about a demo retailer is kept once all of it is recorded."""
    return data_dir / "demo_truth.json"


def _unfinished(data_dir: Path) -> Path:
    return data_dir / "demo_truth.unfinished.json"


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """The numbers a demo retailer is drawn from.

    Attributes:
        last_on: last day of business in the data.
    """

    seed: int
    customers: int
    last_on: date

    @classmethod
    def until_yesterday(cls, now: datetime, customers: int, seed: int) -> "DemoPlan":
        """Return the plan of a retailer whose last day of business is over."""
        from crmkit.demo.seasons import SHOP_ZONE

        return cls(seed, customers, now.astimezone(SHOP_ZONE).date() - timedelta(1))

    def require(self, customers: int | None, seed: int | None) -> None:
        """Raise Refused if other numbers are asked for than the retailer was drawn from."""
        from crmkit import Refused

        if customers not in (None, self.customers) or seed not in (None, self.seed):
            raise Refused(
                f"the demo retailer here has {self.customers} customers of seed {self.seed}; "
                "name a new folder with --data-dir for another one"
            )


def begun(crm: "Crm") -> DemoPlan | None:
    """Return the plan of the demo retailer in the database; None if the database is empty.

    Raises:
        Refused: what is in the database is not made up.
    """
    from sqlmodel import select

    from crmkit import Refused
    from crmkit.models import Customer, Interaction, Transaction

    folder = crm.settings.data_dir
    with crm.read() as session:
        facts = (Customer, Transaction, Interaction)
        if all(session.exec(select(each.id).limit(1)).first() is None for each in facts):
            return None
    for path in (truth_file(folder), _unfinished(folder)):
        if path.exists():
            truth = json.loads(path.read_text(encoding="utf-8"))
            last_on = date.fromisoformat(truth["last_on"])
            return DemoPlan(truth["seed"], len(truth["customers"]), last_on)
    raise Refused(
        f"{crm.database.url.render_as_string()} holds records that are not the demo's; "
        "name a folder of its own with --data-dir"
    )


def record(crm: "Crm", plan: DemoPlan, report: Report) -> None:
    """Record the demo retailer; one that was interrupted is completed, a whole one left alone."""
    from crmkit.demo import generate

    folder = crm.settings.data_dir
    if begun(crm) is not None and truth_file(folder).exists():
        return
    retailer = generate(plan.seed, plan.customers, until=plan.last_on)
    # The plan must outlive an interruption: another day would draw another retailer.
    retailer.write_truth(_unfinished(folder))
    _record_customers(crm, retailer, plan.customers, report)
    _record_past(crm.record_transactions, "sales", retailer.transactions(), retailer, report)
    _record_past(crm.record_interactions, "interactions", retailer.interactions(), retailer, report)
    _unfinished(folder).replace(truth_file(folder))


def _record_customers(crm: "Crm", retailer: "DemoRetailer", count: int, report: Report) -> None:
    done = 0
    for batch in _batches(retailer.customers()):
        crm.upsert_customers(batch)
        done += len(batch)
        report("customers", done, count, f"{done:,}")


def _record_past(
    write: Callable[[Sequence[Any]], object],
    what: str,
    stream: Iterable[Any],
    retailer: "DemoRetailer",
    report: Report,
) -> None:
    """Record a stream in order of time, so that the day tells how far it is."""
    days, done = (retailer.last_on - retailer.first_on).days + 1, 0
    for batch in _batches(stream):
        write(batch)
        done += len(batch)
        day = (batch[-1].occurred_at.date() - retailer.first_on).days + 1
        report(what, day, days, f"{done:,}")


def _batches(stream: Iterable[T]) -> Iterator[list[T]]:
    items = iter(stream)
    while batch := list(islice(items, _BATCH)):
        yield batch
