"""Adjusting points by hand: at once or, above a limit, when somebody else has approved it."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from crmkit import IdempotencyMismatch, NotFound
from crmkit_loyalty import ledger
from crmkit_loyalty.adjusting_errors import UnknownReasonCode
from crmkit_loyalty.adjusting_models import ProposalState, ProposedAdjustment
from crmkit_loyalty.adjustment import Adjustment, check_adjustment
from crmkit_loyalty.book import Book
from crmkit_loyalty.entries import Draft
from crmkit_loyalty.errors import InsufficientPoints
from crmkit_loyalty.lots import AccountKey
from crmkit_loyalty.models import EntryKind, LedgerEntry
from crmkit_loyalty.point_kinds import POINTS
from crmkit_loyalty.proposing import decide, proposal_with, propose
from crmkit_loyalty.settings import LoyaltySettings
from crmkit_loyalty.standing import check_not_merged


def adjust(
    session: Session,
    customer_id: UUID,
    points: int,
    *,
    point_kind: str = POINTS,
    reason_code: str,
    reason: str,
    key: str,
    actor: str,
    now: datetime,
    settings: LoyaltySettings,
) -> LedgerEntry | ProposedAdjustment:
    """Add or take points by hand; the same key and request give the same answer for ever.

    Args:
        points: how many; negative takes them away.
        point_kind: which kind of them.
        reason_code: one of `adjustment_reasons`.
        reason: why, in words, for the customer and the auditor.
        key: idempotency key, unique for the customer.
        actor: who does it; not part of the request that a key stands for.

    Returns:
        The entry; above `adjustment_approval_above` points, what now waits for approval.

    Raises:
        ValidationFailed: a value is outside its limits.
        NotFound: there is no such customer.
        IdempotencyMismatch: the key was used for another adjustment of this customer.
        UnknownReasonCode: the settings do not list it; the key stays free.
        AccountMerged: the customer's points are another's now; the key stays free.
        InsufficientPoints: more were to go than there are; the key stays free.
    """
    request = check_adjustment(points, point_kind, reason_code, reason, key, settings)
    account = AccountKey(customer_id, point_kind)
    book = ledger.open_book(session, {customer_id}, {customer_id}, now, settings)
    if account not in book:
        raise NotFound("customer", customer_id)
    stored = proposal_with(session, customer_id, request.key) or ledger.entry_with(
        session, customer_id, request.key
    )
    if stored is not None:
        if stored.fingerprint != request.fingerprint:
            raise IdempotencyMismatch(key)
        return stored
    if request.reason_code not in settings.adjustment_reasons:
        raise UnknownReasonCode(request.reason_code, settings.adjustment_reasons)
    check_not_merged(book.holdings, customer_id)
    available = book.balance(account, now)
    above = settings.adjustment_approval_above
    if above is None or abs(points) <= above:
        draft = _draft(account, request, actor, now)
        return _post(session, book, draft, available)
    if available + points < 0:
        raise InsufficientPoints(available, -points)
    return propose(session, account, request, actor, now)


def approve(
    session: Session,
    proposal_id: UUID,
    *,
    note: str | None,
    actor: str,
    now: datetime,
    settings: LoyaltySettings,
) -> None:
    """Let a proposed adjustment move points, once; the same person may say so again.

    Raises:
        ValidationFailed: the note is too long.
        NotFound: there is no such proposal.
        OwnProposal: whoever proposed it cannot approve it.
        AdjustmentDecided: it was rejected, or approved by somebody else.
        AccountMerged: the customer's points are another's by now; it stays open.
        InsufficientPoints: more were to go than there are by now; it stays open.
    """
    found = decide(session, proposal_id, ProposalState.APPROVED, note=note, actor=actor, now=now)
    if found is None:
        return
    book = ledger.open_book(session, {found.customer_id}, {found.customer_id}, now, settings)
    check_not_merged(book.holdings, found.customer_id)
    account = AccountKey(found.customer_id, found.point_kind)
    available = book.balance(account, now)
    request = Adjustment(
        found.points, found.reason_code, found.reason, f"approved:{found.id}", found.fingerprint
    )
    draft = _draft(account, request, found.proposed_by, now)
    explanation = {**draft.explanation, "approved_by": actor}
    draft = draft._replace(source_id=found.id, explanation=explanation)
    _post(session, book, draft, available)


def _post(session: Session, book: Book, draft: Draft, available: int) -> LedgerEntry:
    book.post(draft)
    short = InsufficientPoints(available, -draft.points_delta)
    ledger.write_if_covered(session, book, short)
    return ledger.entry_with(session, draft.customer_id, str(draft.key))  # type: ignore[return-value] # just made


def _draft(account: AccountKey, request: Adjustment, actor: str, now: datetime) -> Draft:
    return Draft(
        account.customer_id,
        EntryKind.ADJUSTMENT,
        request.points,
        now,
        "manual",
        {"version": 1, "requested": request.points},
        source="adjustment",
        reason_code=request.reason_code,
        reason=request.reason,
        actor=actor,
        key=request.key,
        fingerprint=request.fingerprint,
        point_kind=account.point_kind,
    )
