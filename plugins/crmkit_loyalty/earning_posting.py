"""Entries by earning rules, for all transactions of a batch."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlmodel import Session

from crmkit import RecordedTransaction, Services, run_sql, wire_instant
from crmkit.models import TransactionKind
from crmkit_loyalty import accrual
from crmkit_loyalty.book import Book
from crmkit_loyalty.earning import VERSION, Earned, earn
from crmkit_loyalty.earning_limits import Allowances, load_allowances
from crmkit_loyalty.earning_matching import Circumstances
from crmkit_loyalty.earning_rules import RuleSet
from crmkit_loyalty.entries import Draft
from crmkit_loyalty.lots import AccountKey
from crmkit_loyalty.models import EntryKind
from crmkit_loyalty.multipliers import Multiplier
from crmkit_loyalty.settings import LoyaltySettings

_OF_GOODS = ("per_amount", "per_line", "per_quantity", "multiplier")
_KEEP_RULES = """INSERT INTO loyalty_earning_rules (version, rules, recorded_at)
    SELECT ?, CAST(? AS {json}), CAST(? AS {instant})
    WHERE NOT EXISTS (SELECT 1 FROM loyalty_earning_rules WHERE version = ?)
    ON CONFLICT DO NOTHING"""


class Earnings:
    """What the rules give for the transactions of one batch."""

    def __init__(
        self,
        rule_set: RuleSet,
        around: Mapping[UUID, Circumstances],
        earned: Mapping[UUID, Sequence[Earned]],
        allowances: Allowances,
    ) -> None:
        self._rule_set = rule_set
        self._around = around
        self._earned = earned
        self._allowances = allowances
        self._has_posted = False

    def post(self, book: Book, each: RecordedTransaction, customer_id: UUID) -> None:
        """Give points for what was sold; take some for what came back without a named sale."""
        if _takes(each):
            self._take(book, each, customer_id)
            return
        for earned in self._earned[each.id]:
            points, limits = self._allowances.grant(
                earned.rule, customer_id, each.business_on, earned.points
            )
            if not points:
                continue
            self._has_posted = True
            basis = {**earned.basis, "limits": limits} if limits else earned.basis
            book.post(
                Draft(
                    customer_id,
                    EntryKind.ACCRUAL,
                    points,
                    each.occurred_at,
                    earned.rule.name,
                    self._explained(basis),
                    source_id=each.id,
                    line=earned.line,
                    point_kind=earned.rule.point_kind,
                )
            )

    def _take(self, book: Book, each: RecordedTransaction, customer_id: UUID) -> None:
        """Take the points that the goods would earn, but only as many as there are.

        Nobody can tell whether goods without a receipt ever earned here. What is given for the
        visit and not for goods stays.
        """
        rules = [rule for rule in self._rule_set.rules if rule.kind in _OF_GOODS]
        sold = [
            line._replace(
                quantity_milli=-line.quantity_milli,
                amount_minor=-line.amount_minor,
                tax_minor=-line.tax_minor,
            )
            for line in each.lines
        ]
        due = earn(rules, sold, self._around[each.id])
        for kind in dict.fromkeys(earned.rule.point_kind for earned in due):
            of_kind = [earned for earned in due if earned.rule.point_kind == kind]
            self._take_kind(book, each, AccountKey(customer_id, kind), of_kind)

    def _take_kind(
        self, book: Book, each: RecordedTransaction, account: AccountKey, due: Sequence[Earned]
    ) -> None:
        total = sum(earned.points for earned in due)
        points = min(total, book.balance(account, each.occurred_at))
        if points:
            self._has_posted = True
            bases = [{**earned.basis, "due": earned.points} for earned in due]
            book.post(
                Draft(
                    account.customer_id,
                    EntryKind.ADJUSTMENT,
                    -points,
                    each.occurred_at,
                    "unlinked_return",
                    self._explained({"version": VERSION, "due": total, "rules": bases}),
                    source_id=each.id,
                    reason="goods came back without a named sale",
                    point_kind=account.point_kind,
                )
            )

    def _explained(self, basis: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**basis, "rules_version": self._rule_set.version}

    def write(self, session: Session, recorded_at: datetime) -> None:
        """Count what limits allowed, and keep the rules that entries now refer to."""
        if self._has_posted:
            self._allowances.write(session)
            is_sqlite = session.connection().dialect.name == "sqlite"
            types = ("TEXT", "TEXT") if is_sqlite else ("JSONB", "TIMESTAMPTZ")
            sql = _KEEP_RULES.format(json=types[0], instant=types[1])
            kept = self._rule_set
            at = wire_instant(recorded_at)
            run_sql(session, sql, kept.version, kept.text, at, kept.version)


def load_earnings(
    session: Session,
    services: Services,
    settings: LoyaltySettings,
    transactions: Iterable[RecordedTransaction],
    multiplied: Mapping[UUID, Sequence[Multiplier]],
    paid_by_points: Mapping[UUID, Fraction],
) -> Earnings | None:
    """Return what gives points by rules, with all it needs to know; None if there are none."""
    if not settings.rules:
        return None
    owned = [each for each in transactions if each.customer_id is not None]
    tiers: Mapping[UUID, Mapping[str, str]] = {}
    held = services.find("tiers.held", 1)
    if held is not None and any(rule.tiers for rule in settings.rules):
        found = held(session, [(each.customer_id, each.occurred_at) for each in owned])
        tiers = {each.id: some for each, some in zip(owned, found, strict=True)}
    around = {
        each.id: Circumstances(
            each.business_on,
            each.currency,
            each.store,
            tiers.get(each.id),
            multiplied.get(each.id, ()),
            paid_by_points.get(each.id, Fraction()),
        )
        for each in owned
    }
    rules = settings.rule_set.rules
    earned = {
        each.id: earn(rules, each.lines, around[each.id]) for each in owned if not _takes(each)
    }
    allowances = load_allowances(
        session,
        (
            (some.rule, each.customer_id, each.business_on)
            for each in owned
            for some in earned.get(each.id, ())
            if each.customer_id is not None
        ),
    )
    return Earnings(settings.rule_set, around, earned, allowances)


def _takes(each: RecordedTransaction) -> bool:
    """Tell whether more goods came back without a named sale than went out."""
    return each.kind == TransactionKind.RETURN or (
        each.kind == TransactionKind.EXCHANGE and accrual.eligible_minor(each.lines) < 0
    )
