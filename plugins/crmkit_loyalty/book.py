"""The rows that entries lead to: each entry with its lot or allocations. Pure, but for new ids."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from crmkit import new_id, wire_instant
from crmkit_loyalty.accrual import weights_in
from crmkit_loyalty.book_rows import BookRows, account_row, listed
from crmkit_loyalty.entries import Draft, Posted
from crmkit_loyalty.lots import AccountKey, Holding, Part, Use, open_lot
from crmkit_loyalty.models import SPENDING, EntryKind
from crmkit_loyalty.settings import LoyaltySettings
from crmkit_loyalty.standing import heir_of


class Move(NamedTuple):
    """How an account has changed.

    Attributes:
        points: what was added to the sum of its entries.
        last_entry_id: its latest entry.
    """

    account: AccountKey
    points: int
    last_entry_id: UUID


class Book:
    """The accounts of some customers, locked, and the rows that posting entries has led to.

    Attributes:
        holdings: what each account has and owes now.
        by_source: entries by the transaction that caused them, as far as they were loaded.
        lapsed: for each accrual, how many of its points expired in this book.
        restarted: accounts whose points got their lifetime anew.
        has_set_rules: whether earning rules were ever set.
        unforgiven: reversals of merged customers, whose heirs may have the points that are missing.
    """

    def __init__(
        self,
        holdings: Mapping[AccountKey, Holding],
        recorded_at: datetime,
        settings: LoyaltySettings,
        *,
        has_set_rules: bool = False,
    ) -> None:
        self.holdings, self.recorded_at = holdings, recorded_at
        self.unforgiven: dict[UUID, tuple[Posted, Draft]] = {}
        self._before = {key: (held.net, held.last_entry_id) for key, held in holdings.items()}
        self.settings = settings
        self.has_set_rules = has_set_rules
        self.by_source: defaultdict[UUID | None, list[Posted]] = defaultdict(list)
        self.lapsed: defaultdict[UUID, int] = defaultdict(int)
        self.restarted: set[AccountKey] = set()
        self.rows = BookRows(recorded_at, settings.zone)

    def __contains__(self, account: AccountKey) -> bool:
        return account in self.holdings

    def accounts(self) -> list[AccountKey]:
        """Return all accounts, in the order of the ids."""
        return sorted(self.holdings)

    def balance(self, account: AccountKey, at: datetime) -> int:
        """Return the points there are, pending ones too; what has expired lapses first.

        Points of a merged customer are those of the heir.
        """
        if heir := heir_of(self.holdings, account):
            return self.balance(heir, at)
        self.let_lapse(account, at)
        return max(self.holdings[account].net, 0)

    def available(self, account: AccountKey, at: datetime) -> int:
        """Return the points that can be spent."""
        return self.holdings[account].active(at)

    def let_lapse(self, account: AccountKey, at: datetime, after: UUID | None = None) -> None:
        """Post the expiry of what is left of each lot that has expired at an instant.

        Whether a job has run makes no difference: the entry bears the lot's own date.

        Args:
            after: the entry that gave points back to lots which may have expired before.
        """
        if heir := heir_of(self.holdings, account):
            self.let_lapse(heir, at)
        for lot in self.holdings[account].due(at):
            self.lapsed[lot.origin_id] += lot.left
            inputs = {"version": 1, "left": lot.left, "expires_at": wire_instant(lot.expires_at)}
            key = f"{EntryKind.EXPIRY}:expires_at:{lot.entry_id.hex}"
            self._post(
                Draft(
                    account.customer_id, EntryKind.EXPIRY, -lot.left, lot.expires_at, "expires_at",
                    inputs, source="entry", source_id=lot.entry_id, point_kind=account.point_kind,
                    key=f"{key}:{after.hex}" if after else key,
                ),
                lot.entry_id,
            )  # fmt: skip

    def moves(self) -> list[Move]:
        """Return how each account that got entries has changed so far, in the order of the ids."""
        moves = []
        for account in self.accounts():
            held, (net, last_entry_id) = self.holdings[account], self._before[account]
            if held.last_entry_id is not None and held.last_entry_id != last_entry_id:
                moves.append(Move(account, held.net - net, held.last_entry_id))
        return moves

    def moved_accounts(self) -> list[tuple[Any, ...]]:
        """Return the accounts that have changed so far as `ACCOUNT_COLUMNS` has them."""
        return [account_row(move.account, self.holdings[move.account]) for move in self.moves()]

    def post(self, draft: Draft) -> Posted:
        """Add an entry, and what follows from it: a lot or allocations.

        Points that have expired pay for nothing: they lapse before others are taken.
        """
        if draft.points_delta < 0:
            self.let_lapse(draft.account, draft.occurred_at)
        return self._post(draft, draft.reverses.id if draft.reverses else None)

    def take(self, draft: Draft, parts: Sequence[Part]) -> Posted:
        """Add an entry that takes points from the lots named, whatever their dates."""
        draft = draft._replace(explanation={**draft.explanation, **listed(parts)})
        entry = self._entry(draft)
        self._add(entry, draft, self.holdings[entry.account].take(entry.id, parts))
        return entry

    def give_back(self, draft: Draft, parts: Sequence[Part]) -> Posted:
        """Add an entry whose points go back to the lots they were taken from.

        They pay what is owed first; those of lots that have expired meanwhile lapse.
        """
        entry = self._give_back(draft, parts)
        self._settle(entry, draft.occurred_at)
        return entry

    def redeem_held(self, release: Draft, redemption: Draft, parts: Sequence[Part]) -> Posted:
        """Let go what was held, and redeem points of the same lots, whatever has expired.

        Args:
            parts: what was held, in the order of its use.

        Returns:
            The redemption.
        """
        released = self._give_back(release, parts)
        wanted, chosen = -redemption.points_delta, []
        for lot, points in parts:
            chosen.append((lot, min(points, wanted)))
            wanted -= chosen[-1][1]
        entry = self.take(redemption, [(lot, points) for lot, points in chosen if points])
        self._settle(released, redemption.occurred_at)
        return entry

    def _give_back(self, draft: Draft, parts: Sequence[Part]) -> Posted:
        draft = draft._replace(explanation={**draft.explanation, **listed(parts)})
        entry = self._entry(draft)
        self._add(entry, draft, self.holdings[entry.account].give_back(entry.id, parts))
        return entry

    def _settle(self, gave_back: Posted, at: datetime) -> None:
        account = gave_back.account
        self.rows.add_uses(account.customer_id, self.holdings[account].settle(at))
        self.let_lapse(account, at, gave_back.id)

    def _entry(self, draft: Draft) -> Posted:
        return Posted(
            self.holdings[draft.account].next_entry_id(), draft.customer_id, draft.kind,
            draft.point_kind, draft.points_delta, draft.source_id,
            draft.reverses.id if draft.reverses else None, *self._dates(draft),
            weights_in(draft.explanation), draft.explanation.get("lapsed", 0),
        )  # fmt: skip

    def _post(self, draft: Draft, first: UUID | None) -> Posted:
        """Add an entry; if it takes points, from the lot of the entry `first` before others."""
        holding, terms = self.holdings[draft.account], self.settings.terms_of(draft.point_kind)
        entry = self._entry(draft)
        if draft.points_delta > 0:
            undone = draft.reverses.reverses_entry_id if draft.reverses else draft.origin_id
            lot = open_lot(
                new_id(), entry.id, entry.points_delta, entry.active_from, entry.expires_at, undone
            )
            self.rows.add_lot(lot, entry.account)
            uses = holding.credit(lot)
            is_bought = entry.kind == EntryKind.ACCRUAL and draft.source == "transaction"
            if terms.lifetime.restarts and is_bought and entry.expires_at:
                holding.prolong(draft.occurred_at, entry.expires_at)
                self.restarted.add(entry.account)
        else:
            active_at = draft.occurred_at if entry.kind in SPENDING else None
            uses = holding.debit(entry.id, -draft.points_delta, first, active_at)
        self._add(entry, draft, uses)
        if holding.net < 0 and terms.forgives and entry.kind == EntryKind.REVERSAL:
            if heir_of(self.holdings, entry.account):
                self.unforgiven[entry.id] = entry, draft
            else:
                self.forgive(entry, draft, -holding.net)
        return entry

    def _add(self, entry: Posted, draft: Draft, uses: Iterable[Use]) -> None:
        self.rows.add_entry(entry, draft, max(self.holdings[entry.account].net, 0))
        self.rows.add_uses(entry.customer_id, uses)
        self.by_source[entry.source_id].append(entry)

    def forgive(self, entry: Posted, draft: Draft, missing: int) -> None:
        """Give the points away that a reversal could not take."""
        self.post(
            draft._replace(
                kind=EntryKind.REVERSAL, points_delta=missing, rule="forgive", reverses=entry,
                explanation={"version": 1, "missing": missing}, reason="the points were spent",
            )
        )  # fmt: skip

    def _dates(self, draft: Draft) -> tuple[datetime | None, datetime | None]:
        """Return from when the points can be spent, and when they expire."""
        if draft.dates is not None:
            return draft.dates
        if draft.reverses is not None and draft.reverses.active_from is not None:
            return draft.reverses.active_from, draft.reverses.expires_at
        lifetime, holding, _ = self.settings.terms_of(draft.point_kind)
        earned_at = draft.occurred_at
        is_held = draft.kind == EntryKind.ACCRUAL
        return earned_at + holding if is_held else earned_at, lifetime.expires_at(earned_at)
