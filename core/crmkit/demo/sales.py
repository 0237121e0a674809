"""The demo tills at work: sales in order of time, and what comes back later."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from crmkit.demo import lines
from crmkit.demo.baskets import Basketry
from crmkit.demo.catalogue import CURRENCY, Product
from crmkit.demo.people import SOURCE, Person
from crmkit.demo.places import Store
from crmkit.demo.seasons import Promotions, instant, shop_day
from crmkit.demo.visits import Visit
from crmkit.inputs import CustomerRef, LineInput, TransactionInput

_MISTAKE_CHANCE = 0.004
_RETURN_CHANCE = 0.03
_EXCHANGE_CHANCE = 0.006
_RETURN_DAYS_MAX = 14


@dataclass(frozen=True, slots=True)
class Draft:
    """A transaction that has no number yet.

    Attributes:
        is_mistaken: a sale keyed in wrongly, to be voided.
        original: number of the transaction this one refers to.
    """

    kind: str
    at: datetime
    person: Person | None
    store: Store | None
    lines: tuple[LineInput, ...]
    is_mistaken: bool = False
    original: str | None = None


class Tills:
    """Turns visits into transactions.

    Args:
        rng: decides everything that the visits leave open.
        stores: where strangers shop.
        until: instant after which nothing happens.
    """

    def __init__(
        self,
        rng: Random,
        products: tuple[Product, ...],
        stores: tuple[Store, ...],
        promotions: Promotions,
        until: datetime,
    ) -> None:
        self._rng = rng
        self._products = products
        self._stores = stores
        self._promotions = promotions
        self._until = until
        self._basketry = Basketry(rng, products)
        self._pending: list[tuple[datetime, int, Draft]] = []
        self._pushed = 0
        self._issued = 0

    def serve(self, visits: Iterable[Visit]) -> Iterator[TransactionInput]:
        """Yield transactions in order of time; an original comes before what refers to it."""
        for visit in visits:
            yield from self._issue_up_to(visit.at)
            self._sell(visit)
        yield from self._issue_up_to(self._until)

    def _issue_up_to(self, at: datetime) -> Iterator[TransactionInput]:
        while self._pending and self._pending[0][0] <= at:
            yield self._issue(heapq.heappop(self._pending)[2])

    def _issue(self, draft: Draft) -> TransactionInput:
        """Give a draft its number, and decide what follows from it."""
        self._issued += 1
        number = f"T{self._issued:06}"
        if draft.kind == "sale" and draft.is_mistaken:
            self._void_and_repeat(draft, number)
        elif draft.kind == "sale":
            self._maybe_bring_back(draft, number)
        ref = None if draft.person is None else CustomerRef(external_id=draft.person.external_id)
        return TransactionInput(
            source=SOURCE,
            external_id=number,
            occurred_at=draft.at,
            currency=CURRENCY,
            lines=draft.lines,
            kind=draft.kind,
            customer=ref,
            channel="online" if draft.store is None else "store",
            store=None if draft.store is None else draft.store.name,
            staff=None if draft.store is None else self._rng.choice(draft.store.staff),
            original=draft.original,
        )

    def _sell(self, visit: Visit) -> None:
        day = shop_day(visit.at)
        promoted = self._promotions.on(day)
        items = self._basketry.fill(visit.person, day, promoted)
        store = self._store(visit.person)
        sold = lines.sale_lines(items, promoted, is_delivered=store is None)
        is_mistaken = self._rng.random() < _MISTAKE_CHANCE
        self._push(Draft("sale", visit.at, visit.person, store, sold, is_mistaken))

    def _store(self, person: Person | None) -> Store | None:
        """Return where a purchase is made; None for the web shop."""
        if person is None:
            return self._rng.choice(self._stores)
        return None if self._rng.random() < person.tastes.online_share else person.tastes.store

    def _void_and_repeat(self, draft: Draft, number: str) -> None:
        """Void a sale keyed in wrongly at once, then key it in again."""
        pause = timedelta(minutes=3)
        void = replace(draft, kind="void", at=draft.at + pause, lines=(), original=number)
        self._push(void)
        self._push(replace(draft, at=draft.at + 2 * pause, is_mistaken=False))

    def _maybe_bring_back(self, draft: Draft, number: str) -> None:
        """Let some customers bring something back, for money or for something else."""
        roll = self._rng.random()
        if roll >= _RETURN_CHANCE + _EXCHANGE_CHANCE:
            return
        candidates = lines.returnable_positions(draft.lines, self._products)
        day = shop_day(draft.at) + timedelta(self._rng.randint(1, _RETURN_DAYS_MAX))
        at = instant(day, self._rng.randint(9 * 60, 21 * 60))
        is_gone = draft.person is not None and not draft.person.behaviour.is_active_on(day)
        if not candidates or at > self._until or is_gone:
            return
        back = lines.returned_line(self._rng, draft.lines, self._rng.choice(candidates))
        follow_up = replace(draft, kind="return", at=at, lines=(back,), original=number)
        if roll < _EXCHANGE_CHANCE:
            instead = lines.replacement_line(self._rng, back, self._products)
            follow_up = replace(follow_up, kind="exchange", lines=(back, instead))
        self._push(follow_up)

    def _push(self, draft: Draft) -> None:
        self._pushed += 1
        heapq.heappush(self._pending, (draft.at, self._pushed, draft))
