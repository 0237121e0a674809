"""Posting what rules give: within limits, with the rules that the entries refer to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from crmkit import run_sql, wire_instant
from crmkit_loyalty.book import Book
from crmkit_loyalty.earning import Cause, Earned
from crmkit_loyalty.earning_limits import Allowances
from crmkit_loyalty.earning_rules import RuleSet
from crmkit_loyalty.entries import Draft
from crmkit_loyalty.models import EntryKind

_KEEP_RULES = """INSERT INTO loyalty_earning_rules (version, rules, recorded_at)
    SELECT ?, CAST(? AS {json}), CAST(? AS {instant})
    WHERE NOT EXISTS (SELECT 1 FROM loyalty_earning_rules WHERE version = ?)
    ON CONFLICT DO NOTHING"""


class Granting:
    """Posts what rules give, and remembers what must be written with it."""

    def __init__(self, allowances: Allowances) -> None:
        self._allowances = allowances
        self._used: dict[str, RuleSet] = {}

    def accrue(self, book: Book, earned: Earned, rule_set: RuleSet, cause: Cause) -> None:
        """Post an accrual of what limits leave of some points; nothing if they leave none.

        Args:
            rule_set: that the rule is one of.
        """
        points, limits = self._allowances.grant(
            earned.rule, cause.customer_id, cause.business_on, earned.points
        )
        if points:
            basis = {**earned.basis, "limits": limits} if limits else earned.basis
            book.post(
                Draft(
                    cause.customer_id,
                    EntryKind.ACCRUAL,
                    points,
                    cause.occurred_at,
                    earned.rule.name,
                    self.explained(basis, rule_set),
                    source=cause.source,
                    source_id=cause.id,
                    line=earned.line,
                    point_kind=earned.rule.point_kind,
                )
            )

    def explained(self, basis: Mapping[str, Any], rule_set: RuleSet) -> Mapping[str, Any]:
        """Return the explanation of an entry that is posted by some rules, which are then kept."""
        self._used[rule_set.version] = rule_set
        return {**basis, "rules_version": rule_set.version}

    def write(self, session: Session, recorded_at: datetime) -> None:
        """Count what limits allowed, and keep the rules that entries now refer to."""
        if self._used:
            self._allowances.write(session)
        for _, kept in sorted(self._used.items()):
            keep_rules(session, kept, recorded_at)


def keep_rules(session: Session, kept: RuleSet, recorded_at: datetime) -> None:
    """Store rules under their version, unless they are."""
    is_sqlite = session.connection().dialect.name == "sqlite"
    types = ("TEXT", "TEXT") if is_sqlite else ("JSONB", "TIMESTAMPTZ")
    sql = _KEEP_RULES.format(json=types[0], instant=types[1])
    run_sql(session, sql, kept.version, kept.text, wire_instant(recorded_at), kept.version)
