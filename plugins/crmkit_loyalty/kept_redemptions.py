"""Redemptions of points, to be done again in a rehearsal."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, select
from sqlmodel import Session

from crmkit import table_of
from crmkit.models import Transaction
from crmkit.rehearsing import Fact
from crmkit_loyalty import ledger
from crmkit_loyalty.cancelling import cancel
from crmkit_loyalty.lots import AccountKey
from crmkit_loyalty.models import EntryKind, LedgerEntry
from crmkit_loyalty.point_kinds import RedemptionTerms
from crmkit_loyalty.redeemed import Caller, kept, redemption_draft, reward_draft
from crmkit_loyalty.redeeming_rules import value_minor
from crmkit_loyalty.redemption_models import Redemption, RedemptionState
from crmkit_loyalty.settings import LoyaltySettings

SOURCE = "redemption"
_PAGE = 1_000
_redemption, _entry = table_of(Redemption), table_of(LedgerEntry)
_sale = table_of(Transaction)
_is_receipt = and_(
    _sale.c.source == _redemption.c.source, _sale.c.external_id == _redemption.c.external_id
)


def kept_redemptions(shop: Session, until: datetime, settings: LoyaltySettings) -> Iterator[Fact]:
    """Give the redemptions that were asked for before an instant, in the order of the requests.

    Args:
        settings: of the rehearsal; what it cannot redeem at all is left out.
    """
    statement = (
        select(_redemption, _sale.c.customer_id.label("buyer_id"))
        .outerjoin(_sale, _is_receipt)
        .where(_redemption.c.entry_id.is_not(None), _redemption.c.requested_at < until)
        .order_by(_redemption.c.requested_at, _redemption.c.id)
    )
    for row in shop.execute(statement, execution_options={"yield_per": _PAGE}):
        terms = settings.kind(row.point_kind).redemption
        if row.point_kind in settings.terms and (terms is not None or row.reward is not None):

            def do(
                session: Session, row: Row[Any] = row, terms: RedemptionTerms | None = terms
            ) -> None:
                _redeem(session, row, terms, settings)

            yield Fact(row.requested_at, _owners(row), do)


def kept_cancellations(shop: Session, until: datetime, settings: LoyaltySettings) -> Iterator[Fact]:
    """Give the cancellations of redemptions before an instant, in their order."""
    statement = (
        select(
            _entry.c.occurred_at,
            _entry.c.customer_id,
            _entry.c.source_id,
            _entry.c.reason,
            _redemption.c.external_id,
            _sale.c.customer_id.label("buyer_id"),
        )
        .join(_redemption, _redemption.c.id == _entry.c.source_id)
        .outerjoin(_sale, _is_receipt)
        .where(
            _entry.c.source == SOURCE,
            _entry.c.kind == EntryKind.REVERSAL,
            _entry.c.occurred_at < until,
        )
        .distinct()
        .order_by(_entry.c.occurred_at, _entry.c.source_id)
    )
    for row in shop.execute(statement, execution_options={"yield_per": _PAGE}):

        def do(session: Session, row: Row[Any] = row) -> None:
            if session.get(Redemption, row.source_id) is not None:
                caller = Caller("rehearsal", row.occurred_at, str(row.source_id))
                cancel(session, row.source_id, row.reason, caller, settings)

        yield Fact(row.occurred_at, _owners(row), do)


def _owners(row: Row[Any]) -> frozenset[UUID] | None:
    """Return whom a redemption concerns: who redeems, and whose receipt it pays for."""
    if row.external_id is None:
        return frozenset({row.customer_id})
    return None if row.buyer_id is None else frozenset({row.customer_id, row.buyer_id})


def _redeem(
    session: Session, row: Row[Any], terms: RedemptionTerms | None, settings: LoyaltySettings
) -> None:
    """Redeem the points again, but only as many as can be spent; a reward, only if all can."""
    account = AccountKey(row.customer_id, row.point_kind)
    owner, at = {row.customer_id}, row.requested_at
    book = ledger.open_book(session, owner, owner, at, settings)
    book.let_lapse(account, at)
    points = min(row.points, book.available(account, at))
    if row.reward is not None:
        terms, points = None, row.points if points == row.points else 0
    if points:
        value = value_minor(points, terms, row.currency) if terms else row.value_minor
        made = Redemption(
            **{
                **{name: getattr(row, name) for name in Redemption.model_fields},
                "points": points,
                "value_minor": value,
                "state": RedemptionState.REDEEMED,
                "hold_entry_id": None,
            }
        )
        caller = Caller(row.actor, at, row.idempotency_key)
        draft = (
            redemption_draft(made, EntryKind.REDEMPTION, terms, caller)
            if terms
            else reward_draft(made, row.points, None, caller)
        )
        made.entry_id = book.post(draft).id
        ledger.write(session, book)
        kept(session, made)
    else:
        ledger.write(session, book)
