"""What redeeming at once and redeeming what is held have in common."""

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlmodel import Session, select

from crmkit import NotFound, insert_rows, table_of, wire_instant
from crmkit_loyalty import ledger
from crmkit_loyalty.book import Book
from crmkit_loyalty.entries import Draft
from crmkit_loyalty.models import EntryKind
from crmkit_loyalty.point_kinds import RedemptionTerms
from crmkit_loyalty.redeeming_errors import NotRedeemable
from crmkit_loyalty.redemption_models import Redemption
from crmkit_loyalty.settings import LoyaltySettings

VERSION = 1
_COLUMNS = tuple(column.name for column in table_of(Redemption).columns)


class Caller(NamedTuple):
    """Who asks, when, and under which idempotency key."""

    actor: str
    now: datetime
    key: str


def terms_of(point_kind: str, settings: LoyaltySettings) -> RedemptionTerms:
    """Return how a kind of points pays.

    Raises:
        NotRedeemable: it does not, or there is no such kind.
    """
    terms = settings.kind(point_kind).redemption
    if terms is None:
        raise NotRedeemable(point_kind)
    return terms


def open_redemption(
    session: Session, redemption_id: UUID, caller: Caller, settings: LoyaltySettings
) -> tuple[Book, Redemption]:
    """Lock the account of a redemption, and return its book with the redemption as it is then.

    Raises:
        NotFound: there is no such redemption.
    """
    customer_id = session.scalar(
        select(Redemption.customer_id).where(Redemption.id == redemption_id)
    )
    if customer_id is None:
        raise NotFound("redemption", redemption_id)
    book = ledger.open_book(session, {customer_id}, {customer_id}, caller.now, settings)
    return book, session.get_one(Redemption, redemption_id)


def redemption_draft(
    made: Redemption, kind: EntryKind, terms: RedemptionTerms, caller: Caller
) -> Draft:
    """Return the entry that holds or redeems the points of a redemption."""
    inputs = {
        "version": VERSION,
        "points": made.points,
        "value": format(terms.value, "f"),
        "currency": made.currency,
        "value_minor": made.value_minor,
    }
    return Draft(
        made.customer_id,
        kind,
        -made.points,
        caller.now,
        "redemption",
        inputs,
        source="redemption",
        source_id=made.id,
        actor=caller.actor,
        point_kind=made.point_kind,
    )


def reward_draft(made: Redemption, price: int, reason: str | None, caller: Caller) -> Draft:
    """Return the entry that takes the points which a reward costs.

    Args:
        price: what it costs anybody; tiers may pay less.
    """
    told = {"version": VERSION, "reward": made.reward, "points": made.points, "price": price}
    return Draft(
        made.customer_id,
        EntryKind.REDEMPTION,
        -made.points,
        caller.now,
        "reward",
        told,
        source="redemption",
        source_id=made.id,
        reason=reason,
        actor=caller.actor,
        point_kind=made.point_kind,
    )


def kept(session: Session, made: Redemption) -> Redemption:
    """Write a redemption, and free it of the session, so that it outlives it."""
    session.add(made)
    session.flush()
    session.expunge(made)
    return made


def insert_redemption(session: Session, made: Redemption) -> None:
    """Write a new redemption, which need not belong to the session."""
    row = tuple(_wire(getattr(made, name)) for name in _COLUMNS)
    insert_rows(session, Redemption, _COLUMNS, [row])


def _wire(value: Any) -> Any:
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, StrEnum):
        return value.value
    return wire_instant(value) if isinstance(value, datetime) else value
