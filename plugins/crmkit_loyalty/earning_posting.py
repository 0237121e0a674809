"""Entries by earning rules, for all transactions of a batch."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from sqlmodel import Session

from crmkit import RecordedTransaction, Services
from crmkit.models import TransactionKind
from crmkit_loyalty import accrual
from crmkit_loyalty.book import Book
from crmkit_loyalty.earning import VERSION, Cause, Earned, earn
from crmkit_loyalty.earning_granting import Granting
from crmkit_loyalty.earning_limits import Allowances, Wanted, load_allowances
from crmkit_loyalty.earning_matching import Circumstances
from crmkit_loyalty.earning_rules import RuleSet
from crmkit_loyalty.earning_standing import load_standings
from crmkit_loyalty.entries import Draft
from crmkit_loyalty.lots import AccountKey
from crmkit_loyalty.models import EntryKind
from crmkit_loyalty.multipliers import Multiplier
from crmkit_loyalty.programme import Programme, unique

_OF_GOODS = ("per_amount", "per_line", "per_quantity", "multiplier")


class Earnings:
    """What the rules give for the transactions of one batch."""

    def __init__(
        self,
        rule_sets: Mapping[UUID, RuleSet],
        around: Mapping[UUID, Circumstances],
        earned: Mapping[UUID, Sequence[Earned]],
        granting: Granting,
    ) -> None:
        self._rule_sets = rule_sets
        self._around = around
        self._earned = earned
        self._granting = granting

    def covers(self, each: RecordedTransaction) -> bool:
        """Tell whether rules say what a transaction earns."""
        return bool(self._rule_sets[each.id].rules)

    def post(self, book: Book, each: RecordedTransaction, customer_id: UUID) -> None:
        """Give points for what was sold; take some for what came back without a named sale."""
        if _takes(each):
            self._take(book, each, customer_id)
            return
        cause = Cause("transaction", each.id, customer_id, each.occurred_at, each.business_on)
        for earned in self._earned[each.id]:
            self._granting.accrue(book, earned, self._rule_sets[each.id], cause)

    def _take(self, book: Book, each: RecordedTransaction, customer_id: UUID) -> None:
        """Take the points that the goods would earn, but only as many as there are.

        Nobody can tell whether goods without a receipt ever earned here. What is given for the
        visit and not for goods stays.
        """
        rules = [rule for rule in self._rule_sets[each.id].rules if rule.kind in _OF_GOODS]
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
            bases = [{**earned.basis, "due": earned.points} for earned in due]
            basis = {"version": VERSION, "due": total, "rules": bases}
            book.post(
                Draft(
                    account.customer_id,
                    EntryKind.ADJUSTMENT,
                    -points,
                    each.occurred_at,
                    "unlinked_return",
                    self._granting.explained(basis, self._rule_sets[each.id]),
                    source_id=each.id,
                    reason="goods came back without a named sale",
                    point_kind=account.point_kind,
                )
            )

    def write(self, session: Session, recorded_at: datetime) -> None:
        """Write what belongs to the entries, once they are written."""
        self._granting.write(session, recorded_at)


def load_earnings(
    session: Session,
    services: Services,
    programme: Programme,
    transactions: Iterable[RecordedTransaction],
    multiplied: Mapping[UUID, Sequence[Multiplier]],
    paid_by_points: Mapping[UUID, Fraction],
    allow: Callable[[Session, Wanted], Allowances] = load_allowances,
) -> Earnings | None:
    """Return what gives points by rules, with all it needs to know; None if there are none.

    Each transaction earns by the rules that are valid at its own time.

    Args:
        allow: reads what limits leave.
    """
    owned = [each for each in transactions if each.customer_id is not None]
    rule_sets = {each.id: programme.at(each.occurred_at) for each in owned}
    rules = [rule for rule_set in unique(rule_sets.values()) for rule in rule_set.rules]
    if not rules:
        return None
    wanted = [(each.customer_id, each.occurred_at) for each in owned if each.customer_id]
    around = {
        each.id: Circumstances(
            each.business_on,
            each.currency,
            each.store,
            standing.tiers,
            multiplied.get(each.id, ()),
            standing.segments,
            paid_by_points.get(each.id, Fraction()),
        )
        for each, standing in zip(
            owned, load_standings(session, services, rules, wanted), strict=True
        )
    }
    earned = {
        each.id: earn(rule_sets[each.id].rules, each.lines, around[each.id])
        for each in owned
        if not _takes(each)
    }
    allowances = allow(
        session,
        (
            (some.rule, each.customer_id, each.business_on)
            for each in owned
            for some in earned.get(each.id, ())
            if each.customer_id is not None
        ),
    )
    return Earnings(rule_sets, around, earned, Granting(allowances))


def _takes(each: RecordedTransaction) -> bool:
    """Tell whether more goods came back without a named sale than went out."""
    return each.kind == TransactionKind.RETURN or (
        each.kind == TransactionKind.EXCHANGE and accrual.eligible_minor(each.lines) < 0
    )
