"""Moving what merged customers have or owe to their heirs. Pure, but for the book it posts in."""

from uuid import UUID

from crmkit import new_id
from crmkit_loyalty.book import Book
from crmkit_loyalty.entries import Draft
from crmkit_loyalty.lots import NEVER, AccountKey, OpenLot
from crmkit_loyalty.models import EntryKind
from crmkit_loyalty.moving_rules import Moved
from crmkit_loyalty.standing import heir_of

RULE, VERSION = "merge", 1


def forward(book: Book) -> None:
    """Post what empties the accounts of merged customers, those of heirs that were merged, too."""
    while full := [
        (account, heir)
        for account in book.accounts()
        if book.holdings[account].lots or book.holdings[account].owed
        if (heir := heir_of(book.holdings, account))
    ]:
        for account, heir in full:
            move_all(book, account, heir)


def move_all(book: Book, account: AccountKey, heir: AccountKey) -> None:
    """Post what moves the lots and debts of an account to another."""
    held = book.holdings[account]
    for lot in list(held.lots):
        move_lot(book, lot, account, heir)
    for entry_id, missing in list(held.owed):
        _move_debt(book, entry_id, missing, account, heir)


def move_lot(book: Book, lot: OpenLot, account: AccountKey, heir: AccountKey) -> None:
    """Post what moves the rest of a lot to another account, where it keeps its dates.

    It also keeps its origin, so that returns find what became of the points they take back.
    """
    until = None if lot.expires_at is NEVER else lot.expires_at
    moved = Moved(lot.left, lot.active_from, until)
    out = _draft(book, account, EntryKind.MERGE_OUT, -moved.points)
    book.take(
        out._replace(explanation={"version": VERSION, "into": heir[0].hex}), [(lot, lot.left)]
    )
    told = {"version": VERSION, "from": account[0].hex, "dates": moved.told()}
    book.post(
        _draft(book, heir, EntryKind.MERGE_IN, moved.points)._replace(
            explanation=told, source="entry", source_id=lot.origin_id, dates=moved.dates
        )
    )


def _move_debt(
    book: Book, entry_id: UUID, missing: int, account: AccountKey, heir: AccountKey
) -> None:
    """Let an heir pay what an entry of an account could not take, its own points first."""
    book.let_lapse(heir, book.recorded_at)
    told = {"version": VERSION, "from": account[0].hex}
    due = _forgive(book, entry_id, missing, heir)
    origin_id, parts, rest = _origin_of(book, entry_id), [], due
    for lot in book.holdings[heir].lots:
        if rest and lot.origin_id == origin_id:
            parts.append((lot, min(rest, lot.left)))
            rest -= parts[-1][1]
    for points, lots in ((due - rest, parts), (rest, [])):
        out = _draft(book, heir, EntryKind.MERGE_OUT, -points)._replace(
            explanation=told, source_id=origin_id
        )
        if lots:
            book.take(out, lots)
        elif points:
            book.post(out)
    if due:
        paid = _draft(book, account, EntryKind.MERGE_IN, due)
        book.post(paid._replace(explanation={"version": VERSION, "into": heir[0].hex}))


def _forgive(book: Book, entry_id: UUID, missing: int, heir: AccountKey) -> int:
    """Forgive what the heir cannot pay either, where the settings say so; returns what is due."""
    if entry_id not in book.unforgiven or heir_of(book.holdings, heir):
        return missing
    entry, draft = book.unforgiven.pop(entry_id)
    due = min(missing, max(book.holdings[heir].net, 0))
    if due < missing:
        book.forgive(entry, draft, missing - due)
    return due


def _origin_of(book: Book, entry_id: UUID) -> UUID | None:
    """Return the entry whose points an entry of this book was to take, if it was about one."""
    for posted in book.by_source.values():
        for entry in posted:
            if entry.id == entry_id:
                return (
                    entry.source_id
                    if entry.kind == EntryKind.MERGE_OUT
                    else entry.reverses_entry_id
                )
    return None


def _draft(book: Book, account: AccountKey, kind: EntryKind, points: int) -> Draft:
    return Draft(
        account.customer_id, kind, points, book.recorded_at, RULE, {}, source=RULE,
        key=f"{kind}:{new_id().hex}", point_kind=account.point_kind,
    )  # fmt: skip
