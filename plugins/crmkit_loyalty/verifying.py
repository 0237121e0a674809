"""`crmkit loyalty verify`: proof that the points book adds up, by reading only."""

from sqlalchemy import ColumnElement, Table, func, select
from sqlmodel import Session

from crmkit import Crm, Findings, Report
from crmkit_loyalty.checks import OF_LOTS, RUNNING, SUMS, violations

_CHECKS = (SUMS, RUNNING, *OF_LOTS)
_LISTED_MAX = 1_000


def run(crm: Crm) -> Report:
    """Look at the whole book as it is now."""
    with crm.read(unhurried=True) as session:
        return verify(session)


def verify(session: Session) -> Report:
    """Look at every account, entry, lot and allocation, and list what does not add up.

    Returns:
        The checks, each with the number of rows looked at and of violations; and of each check
        the first thousand violations.
    """
    counts = _counts(session)
    checked, listed = [], []
    for check in _CHECKS:
        found = list(violations(session, check))
        checked.append((check.name, check.table.name, counts[check.table.name], len(found)))
        listed += [
            (check.name, each.customer_id, each.key, each.stored, _expected(each.least, each.most))
            for each in found[:_LISTED_MAX]
        ]
    return Report(
        not listed,
        (
            Findings("checks", ("what_holds", "table", "rows", "violations"), checked),
            Findings("violations", ("check", "customer", "entry", "stored", "expected"), listed),
        ),
    )


def _counts(session: Session) -> dict[str, int]:
    tables = {check.table.name: check.table for check in _CHECKS}
    row = session.execute(select(*map(_count, tables.values()))).one()
    return dict(zip(tables, row, strict=True))


def _count(table: Table) -> ColumnElement[int]:
    return select(func.count()).select_from(table).scalar_subquery()


def _expected(least: int, most: int) -> int | str:
    return least if least == most else f"{least} to {most}"
