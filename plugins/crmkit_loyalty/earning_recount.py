"""How the counts of limits follow from the explanations of entries."""

from collections import Counter
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import select
from sqlmodel import Session

from crmkit import Difference, Rebuilder, insert_rows, table_of
from crmkit_loyalty.earning_models import EarnedPoints
from crmkit_loyalty.models import EntryKind, LedgerEntry

_COLUMNS = ("rule", "owner", "period", "points", "points_max")
_entry, _earned = table_of(LedgerEntry), table_of(EarnedPoints)

Key = tuple[str, str, str]


def recounter() -> Rebuilder:
    """Return how the counts are checked and mended."""
    return Rebuilder("points limits", check, rebuild)


def check(session: Session) -> Sequence[Difference]:
    """Return every count that is not what entries say was given; a count of 0 may be missing."""
    expected, _ = _count(session)
    stored = {
        (rule, owner, period): points
        for rule, owner, period, points, _ in session.execute(select(_earned))
    }
    return [
        Difference(
            _earned.name, "/".join(key), {"points": stored.get(key, 0)}, {"points": expected[key]}
        )
        for key in sorted(stored.keys() | expected.keys())
        if stored.get(key, 0) != expected[key]
    ]


def rebuild(session: Session) -> int:
    """Count again; returns how many rows were written."""
    points, most = _count(session)
    session.execute(sa.delete(_earned))
    rows = [(*key, points[key], max(most[key], points[key])) for key in sorted(points)]
    insert_rows(session, EarnedPoints, _COLUMNS, rows)
    return len(rows)


def _count(session: Session) -> tuple[Counter[Key], dict[Key, int]]:
    """Return the points of each limit, and how many it allowed at last."""
    counted: Counter[Key] = Counter()
    most: dict[Key, int] = {}
    columns = (_entry.c.rule, _entry.c.customer_id, _entry.c.points_delta, _entry.c.explanation)
    entries = select(*columns).where(_entry.c.kind == EntryKind.ACCRUAL).order_by(_entry.c.id)
    for rule, customer_id, points, explanation in session.execute(entries):
        for each in explanation.get("limits", ()):
            owner = "" if each["limit"] == "budget" else customer_id.hex
            key = (rule, owner, each["period"])
            counted[key] += points
            most[key] = each["max"]
    return counted, most
