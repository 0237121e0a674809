"""The rows that entries lead to: each entry with its lot or allocations. Pure, but for new ids."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from crmkit import new_id, wire_instant
from crmkit_loyalty.accrual import weights_in
from crmkit_loyalty.lifetime import Lifetime
from crmkit_loyalty.lot_rows import allocation_rows, lot_row
from crmkit_loyalty.lots import Holding, open_lot
from crmkit_loyalty.models import EntryKind

ENTRY_COLUMNS = (
    "id", "customer_id", "kind", "points_delta", "balance_after", "source", "source_id", "line",
    "rule", "explanation", "reason", "actor", "idempotency_key", "fingerprint", "occurred_at",
    "recorded_at", "reverses_entry_id",
)  # fmt: skip
ACCOUNT_COLUMNS = ("customer_id", "balance", "debt", "last_entry_id")


class Posted(NamedTuple):
    """An entry as far as later ones need to know it.

    Attributes:
        expires_at: when the points concerned expire; points that come back keep it.
        weights: by position, the part of each sold line in what a rule gave; None for entries of
            no rule.
    """

    id: UUID
    customer_id: UUID
    kind: str
    points_delta: int
    source_id: UUID | None
    reverses_entry_id: UUID | None
    expires_at: datetime | None
    weights: Mapping[int, int] | None = None


class Draft(NamedTuple):
    """An entry to be posted; the names are those of `LedgerEntry`.

    Attributes:
        reverses: the entry it undoes.
        key: idempotency key; derived from the other values unless given.
    """

    customer_id: UUID
    kind: EntryKind
    points_delta: int
    occurred_at: datetime
    rule: str
    explanation: Mapping[str, Any]
    source: str = "transaction"
    source_id: UUID | None = None
    reason: str | None = None
    reverses: Posted | None = None
    actor: str | None = None
    key: str | None = None
    fingerprint: str | None = None
    line: int = 0


class Move(NamedTuple):
    """How an account has changed.

    Attributes:
        points: what was added to the sum of its entries.
        last_entry_id: its latest entry.
    """

    customer_id: UUID
    points: int
    last_entry_id: UUID


class Book:
    """The open accounts of some customers, and the rows that posting entries has led to.

    Attributes:
        by_source: entries by the transaction that caused them, as far as they were loaded.
        lapsed: for each accrual, how many of its points expired in this book.
        lifetime: how long the points are good that are posted here.
        restarted: customers whose points got their lifetime anew.
    """

    def __init__(
        self, holdings: Mapping[UUID, Holding], *, recorded_at: datetime,
        lifetime: Lifetime, forgives: bool,
    ) -> None:  # fmt: skip
        self._holdings = holdings
        self._before = {id_: (held.net, held.last_entry_id) for id_, held in holdings.items()}
        self._recorded_at = wire_instant(recorded_at)
        self.lifetime = lifetime
        self._forgives = forgives
        self.by_source: defaultdict[UUID | None, list[Posted]] = defaultdict(list)
        self.lapsed: defaultdict[UUID, int] = defaultdict(int)
        self.restarted: set[UUID] = set()
        self.entries: list[tuple[Any, ...]] = []
        self.lots: list[tuple[Any, ...]] = []
        self.allocations: list[tuple[Any, ...]] = []

    def __contains__(self, customer_id: UUID) -> bool:
        return customer_id in self._holdings

    def balance(self, customer_id: UUID, at: datetime) -> int:
        """Return the points that the customer can spend; what has expired lapses first."""
        self.let_lapse(customer_id, at)
        return max(self._holdings[customer_id].net, 0)

    def let_lapse(self, customer_id: UUID, at: datetime) -> None:
        """Post the expiry of what is left of each lot that has expired at an instant.

        Whether a job has run makes no difference: the entry bears the lot's own date.
        """
        for lot in self._holdings[customer_id].due(at):
            self.lapsed[lot.origin_id] += lot.left
            inputs = {"version": 1, "left": lot.left, "expires_at": wire_instant(lot.expires_at)}
            self._post(
                Draft(
                    customer_id, EntryKind.EXPIRY, -lot.left, lot.expires_at, "expires_at", inputs,
                    source="entry", source_id=lot.entry_id,
                ),
                lot.entry_id,
            )  # fmt: skip

    def moves(self) -> list[Move]:
        """Return how each account that got entries has changed so far, in the order of the ids."""
        moves = []
        for id_, held in sorted(self._holdings.items()):
            net, last_entry_id = self._before[id_]
            if held.last_entry_id is not None and held.last_entry_id != last_entry_id:
                moves.append(Move(id_, held.net - net, held.last_entry_id))
        return moves

    def moved_accounts(self) -> list[tuple[Any, ...]]:
        """Return the accounts that have changed so far as `ACCOUNT_COLUMNS` has them."""
        return [
            (move.customer_id.hex, max(net, 0), max(-net, 0), move.last_entry_id.hex)
            for move in self.moves()
            for net in (self._holdings[move.customer_id].net,)
        ]

    def post(self, draft: Draft) -> Posted:
        """Add an entry, and what follows from it: a lot or allocations.

        Points that have expired pay for nothing: they lapse before others are taken.
        """
        if draft.points_delta < 0:
            self.let_lapse(draft.customer_id, draft.occurred_at)
        return self._post(draft, draft.reverses.id if draft.reverses else None)

    def _post(self, draft: Draft, first: UUID | None) -> Posted:
        """Add an entry; if it takes points, from the lot of the entry `first` before others."""
        holding, at = self._holdings[draft.customer_id], wire_instant(draft.occurred_at)
        entry = Posted(
            holding.next_entry_id(), draft.customer_id, draft.kind, draft.points_delta,
            draft.source_id, draft.reverses.id if draft.reverses else None, self._expiry(draft),
            weights_in(draft.explanation),
        )  # fmt: skip
        if draft.points_delta > 0:
            undone = draft.reverses.reverses_entry_id if draft.reverses else None
            lot = open_lot(
                new_id(), entry.id, entry.points_delta, draft.occurred_at, entry.expires_at, undone
            )
            self.lots.append(lot_row(lot, entry.customer_id, at))
            uses = holding.credit(lot)
            if self.lifetime.restarts and entry.kind == EntryKind.ACCRUAL and entry.expires_at:
                holding.prolong(draft.occurred_at, entry.expires_at)
                self.restarted.add(entry.customer_id)
        else:
            uses = holding.debit(entry.id, -draft.points_delta, first)
        self.entries.append(self._row(entry, draft, at, max(holding.net, 0)))
        self.allocations += allocation_rows(entry.customer_id, uses)
        self.by_source[entry.source_id].append(entry)
        if holding.net < 0 and self._forgives and entry.kind == EntryKind.REVERSAL:
            self._forgive(entry, draft, -holding.net)
        return entry

    def _forgive(self, entry: Posted, draft: Draft, missing: int) -> None:
        self.post(
            draft._replace(
                kind=EntryKind.REVERSAL, points_delta=missing, rule="forgive", reverses=entry,
                explanation={"version": 1, "missing": missing}, reason="the points were spent",
            )
        )  # fmt: skip

    def _expiry(self, draft: Draft) -> datetime | None:
        if draft.reverses is not None:
            return draft.reverses.expires_at
        return self.lifetime.expires_at(draft.occurred_at)

    def _row(self, entry: Posted, draft: Draft, at: str, balance_after: int) -> tuple[Any, ...]:
        source_id = entry.source_id.hex if entry.source_id else None
        reverses = entry.reverses_entry_id.hex if entry.reverses_entry_id else None
        key = draft.key or ":".join(
            filter(None, (entry.kind, draft.rule, source_id, reverses, str(draft.line or "")))
        )
        return (
            entry.id.hex, entry.customer_id.hex, str(entry.kind), entry.points_delta,
            balance_after, draft.source, source_id, draft.line, draft.rule,
            orjson.dumps(draft.explanation).decode(), draft.reason, draft.actor, key,
            draft.fingerprint, at, self._recorded_at, reverses,
        )  # fmt: skip
