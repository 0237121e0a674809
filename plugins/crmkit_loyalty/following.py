"""What transactions do to points: sales earn, returns take back, voids undo."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from sqlmodel import Session

from crmkit import RecordedTransaction, Services, TransactionBatch
from crmkit.models import TransactionKind
from crmkit_loyalty import accrual, ledger
from crmkit_loyalty.amount_posting import earn_by_amount
from crmkit_loyalty.book import Book
from crmkit_loyalty.earning_posting import Earnings, load_earnings
from crmkit_loyalty.entries import Draft, Posted
from crmkit_loyalty.history import Link, Past, load_late, load_past, posted_by
from crmkit_loyalty.models import EntryKind
from crmkit_loyalty.multipliers import Multiplier, load_multipliers
from crmkit_loyalty.programme import load_programme
from crmkit_loyalty.receipts import paid_shares, spent_on
from crmkit_loyalty.refunds import Refunds, load_refunds
from crmkit_loyalty.settings import LoyaltySettings

_VOID, _ADJUSTMENT = TransactionKind.VOID.value, TransactionKind.ADJUSTMENT.value


def follow(
    session: Session,
    batch: TransactionBatch,
    settings: LoyaltySettings,
    services: Services,
    *,
    attached: bool = False,
) -> None:
    """Post the entries that a batch of transactions leads to, in its order.

    Args:
        attached: the transactions were anonymous until now, and what came back of them may have
            been recorded before.
    """
    moving = {
        each.id: each
        for each in batch.transactions
        if each.kind != _ADJUSTMENT and (each.customer_id or each.original_id)
    }
    originals = {each.original_id for each in moving.values() if each.original_id}
    known = posted_by(session, originals - moving.keys())
    customers = {each.customer_id for each in moving.values() if each.customer_id}
    debited = {entry.customer_id for entry in known} | {
        each.customer_id
        for each in moving.values()
        if each.customer_id and (attached or each.kind != "sale" or each.id in originals)
    }
    spent = spent_on(session, originals)
    debited |= {each.entry.customer_id for each in spent}
    book = ledger.open_book(session, customers | debited, debited, batch.recorded_at, settings)
    for entry in known:
        book.by_source[entry.source_id].append(entry)
    paid = {each.sale_id for each in spent}
    past = load_past(session, known, paid - moving.keys(), moving.keys())
    refunds = load_refunds(session, book, spent)
    if attached:
        load_late(session, past, moving.keys())
    past.sold.update(
        (id_, list(moving[id_].lines)) for id_ in moving if attached or id_ in originals
    )
    multiplied = load_multipliers(session, services, moving.values())
    paid_by_points = paid_shares(session, moving.values(), settings)
    instants, has_set = [each.occurred_at for each in moving.values()], book.has_set_rules
    programme = load_programme(session, settings, instants, has_set_rules=has_set)
    by_rules = load_earnings(
        session, services, programme, moving.values(), multiplied, paid_by_points
    )
    for each in moving.values():
        extras = multiplied.get(each.id, ()), paid_by_points.get(each.id, Fraction())
        _follow_one(book, past, refunds, each, settings, extras, by_rules)
    ledger.write(session, book)
    if by_rules is not None:
        by_rules.write(session, batch.recorded_at)


def _follow_one(
    book: Book,
    past: Past,
    refunds: Refunds,
    each: RecordedTransaction,
    settings: LoyaltySettings,
    extras: tuple[Sequence[Multiplier], Fraction],
    by_rules: Earnings | None,
) -> None:
    if each.customer_id is not None and each.kind != _VOID:
        if by_rules is not None and by_rules.covers(each):
            by_rules.post(book, each, each.customer_id)
        else:
            earn_by_amount(book, each, each.customer_id, settings, *extras)
    for link, back in past.late.get(each.id, ()):
        _follow_link(book, past, refunds, link, back)
    if each.original_id is not None:
        back = [
            (line.original_position, -line.quantity_milli)
            for line in each.lines
            if line.original_position is not None
        ]
        link = Link(each.id, each.kind, each.occurred_at, each.original_id)
        _follow_link(book, past, refunds, link, back)


def _follow_link(
    book: Book, past: Past, refunds: Refunds, link: Link, back: list[accrual.Returned]
) -> None:
    past.note(link, back)
    refunds.follow(book, past, link)  # first: what comes back may pay what is taken
    _take_back(book, past, link)
    if link.kind == _VOID:
        _undo(book, past, refunds, link)


def _take_back(book: Book, past: Past, link: Link) -> None:
    """Take back the share of a sale's points that belongs to what came back by now."""
    earned = [e for e in book.by_source[link.original_id] if e.kind == EntryKind.ACCRUAL]
    if not earned:
        return
    sold, returned = past.sold[link.original_id], list(past.returned_of(link.original_id))
    of_value = accrual.returned_share(sold, returned)
    for entry in earned:
        share = accrual.weighted_share(entry.weights, sold, returned) if entry.weights else of_value
        book.let_lapse(entry.account, link.occurred_at)
        taken, expired = past.taken[entry.id], past.expired[entry.id] + book.lapsed[entry.id]
        points = accrual.points_to_take_back(entry.points_delta, share, taken + expired)
        if points:
            past.taken[entry.id] += points
            inputs = {
                "version": accrual.VERSION,
                "earned": entry.points_delta,
                "share": str(share),
                "taken": taken,
                "expired": expired,
            }
            book.post(_reversal(link, entry, -points, "proportional", inputs))


def _undo(book: Book, past: Past, refunds: Refunds, link: Link) -> None:
    """Undo what a voided transaction did, apart from its accruals, which were taken back."""
    past.forget(link.original_id)
    for entry in list(book.by_source[link.original_id]):
        if entry.kind == EntryKind.ACCRUAL:
            continue
        if entry.reverses_entry_id and entry.reverses_entry_id in past.taken:
            past.taken[entry.reverses_entry_id] += entry.points_delta
        refunds.forget(entry.id)
        points = entry.points_delta - entry.lapsed
        if points:
            inputs = {"version": accrual.VERSION, "undone": points}
            book.post(_reversal(link, entry, -points, "undo", inputs))


def _reversal(
    link: Link, entry: Posted, points: int, rule: str, inputs: Mapping[str, Any]
) -> Draft:
    return Draft(
        entry.customer_id,
        EntryKind.REVERSAL,
        points,
        link.occurred_at,
        rule,
        inputs,
        source_id=link.id,
        reason=link.kind,
        point_kind=entry.point_kind,
        reverses=entry,
    )
