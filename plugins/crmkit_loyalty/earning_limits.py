"""Limits of earning rules: what they may give a customer in a period, and in all.

What was given is kept in one row for each rule, customer and period. Rows are locked in one order
before they are read, and the database refuses a row that would pass its limit.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from crmkit import merge_rows, table_of
from crmkit_loyalty.earning_models import EarnedPoints
from crmkit_loyalty.earning_rules import EarningRule

_CHUNK = 500
_COLUMNS = ("rule", "owner", "period", "points", "points_max")
_earned = table_of(EarnedPoints)

Key = tuple[str, str, str]
"""Rule, owner and period."""


class Limit(NamedTuple):
    """A limit of a rule, for one customer and day.

    Attributes:
        name: of the setting.
        owner: the customer's id as text; empty for the budget, which is everybody's.
        period: the day, month or year as text; empty for the budget, which has none.
    """

    name: str
    most: int
    owner: str
    period: str


def limits_of(rule: EarningRule, customer_id: UUID, on: date) -> Iterator[Limit]:
    """Give the limits that apply to what a rule gives a customer for a business day."""
    day, who = on.isoformat(), customer_id.hex
    for name, most, owner, period in (
        ("customer_day_max", rule.customer_day_max, who, day),
        ("customer_month_max", rule.customer_month_max, who, day[:7]),
        ("customer_year_max", rule.customer_year_max, who, day[:4]),
        ("budget", rule.budget, "", ""),
    ):
        if most is not None:
            yield Limit(name, most, owner, period)


class Allowances:
    """What rules may still give; what is granted is counted at once, and written at the end."""

    def __init__(self, given: Mapping[Key, int]) -> None:
        self._given = dict(given)
        self._granted: dict[Key, tuple[int, int]] = {}

    def grant(
        self, rule: EarningRule, customer_id: UUID, on: date, points: int
    ) -> tuple[int, list[Mapping[str, Any]]]:
        """Return how many of some points may be given, and the limits as an explanation has them.

        They say what was left of each before.
        """
        limits = list(limits_of(rule, customer_id, on))
        told: list[Mapping[str, Any]] = []
        granted = points
        for limit in limits:
            left = max(0, limit.most - self._given.get((rule.name, limit.owner, limit.period), 0))
            told.append(
                {"limit": limit.name, "period": limit.period, "max": limit.most, "left": left}
            )
            granted = min(granted, left)
        for limit in limits:
            key = (rule.name, limit.owner, limit.period)
            self._given[key] = self._given.get(key, 0) + granted
            if granted:
                before, _ = self._granted.get(key, (0, 0))
                self._granted[key] = (before + granted, limit.most)
        return granted, told

    def write(self, session: Session) -> None:
        """Add what was granted; the database refuses it if that is more than a limit."""
        rows = [(*key, *values) for key, values in sorted(self._granted.items())]
        how = {"points": "add", "points_max": "replace"}
        merge_rows(session, EarnedPoints, _COLUMNS, rows, how)  # type: ignore[arg-type]


Wanted = Iterable[tuple[EarningRule, UUID, date]]
"""Rules that are about to give, to whom, and for which business day."""


def load_allowances(session: Session, wanted: Wanted) -> Allowances:
    """Return what rules have given so far, locked until the session ends."""
    most = _most(wanted)
    rows = [(*key, 0, some) for key, some in sorted(most.items())]
    merge_rows(session, EarnedPoints, _COLUMNS, rows, {"points": "add"})  # adds 0, and locks
    return Allowances(read_given(session, most) if most else {})


def peek_allowances(session: Session, wanted: Wanted) -> Allowances:
    """Return what rules have given so far; others may use it up meanwhile."""
    most = _most(wanted)
    return Allowances(read_given(session, most) if most else {})


def _most(wanted: Wanted) -> dict[Key, int]:
    return {
        (rule.name, limit.owner, limit.period): limit.most
        for rule, customer_id, on in wanted
        for limit in limits_of(rule, customer_id, on)
    }


def read_given(session: Session, keys: Iterable[Key]) -> dict[Key, int]:
    """Return what rules have given so far."""
    rules, owners, periods = (sorted(set(some)) for some in zip(*keys, strict=True))
    given: dict[Key, int] = {}
    for start in range(0, len(owners), _CHUNK):
        statement = select(_earned.c.rule, _earned.c.owner, _earned.c.period, _earned.c.points)
        rows = session.execute(
            statement.where(
                _earned.c.rule.in_(rules),
                _earned.c.owner.in_(owners[start : start + _CHUNK]),
                _earned.c.period.in_(periods),
            )
        )
        given.update({(rule, owner, period): points for rule, owner, period, points in rows})
    return given
