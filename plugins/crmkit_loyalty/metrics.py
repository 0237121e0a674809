"""Points earned, as metrics that other plugins may build rules on."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, literal, null, or_, select

from crmkit import Metric, table_of
from crmkit_loyalty.models import EntryKind, LedgerEntry

_entry = table_of(LedgerEntry)


def earned_metrics(kinds: Iterable[str]) -> list[Metric]:
    """Return a metric for each kind of points: what was earned, less what returns took back.

    Points that are spent, expire, or are given by hand are no part of it, so that a kind serves
    to qualify for a tier whether or not it can be redeemed.
    """
    return [
        Metric(
            f"loyalty.{kind}_earned",
            kind,
            f"What was earned of the kind {kind}, less what returns took back.",
            partial(_daily, kind),
            without_returns=partial(_given, kind),
        )
        for kind in kinds
    ]


def _select(kind: str, *where: ColumnElement[bool]) -> Select[Any]:
    return select(
        _entry.c.customer_id,
        _entry.c.business_on,
        null().cast(String).label("currency"),
        _entry.c.points_delta.label("value"),
    ).where(_entry.c.point_kind == literal(kind), *where)


def _given(kind: str) -> Select[Any]:
    return _select(kind, _entry.c.kind == EntryKind.ACCRUAL)


def _daily(kind: str) -> Select[Any]:
    """Accruals, the reversals of accruals, and what voids gave back of these."""
    undone, before = _entry.alias("undone"), _entry.alias("before")
    of_accrual = (
        select(undone.c.id)
        .outerjoin(before, before.c.id == undone.c.reverses_entry_id)
        .where(
            undone.c.id == _entry.c.reverses_entry_id,
            or_(undone.c.kind == EntryKind.ACCRUAL, before.c.kind == EntryKind.ACCRUAL),
        )
        .exists()
    )
    reversed_ = and_(_entry.c.kind == EntryKind.REVERSAL, of_accrual)
    return _select(kind, or_(_entry.c.kind == EntryKind.ACCRUAL, reversed_))
