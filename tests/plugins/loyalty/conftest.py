"""A small shop with the points programme on, for tests that tell stories."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, text
from sqlmodel import Session, select

from crmkit import (
    Actor,
    AttachInput,
    Crm,
    CustomerInput,
    CustomerRef,
    Difference,
    LineInput,
    TransactionInput,
)
from crmkit.testing import NOON, CrmFactory
from crmkit_loyalty import adjusting, ledger
from crmkit_loyalty.cancelling import cancel
from crmkit_loyalty.holds import redeem_held, release
from crmkit_loyalty.lots import AccountKey
from crmkit_loyalty.models import LedgerEntry, Lot, LoyaltyAccount
from crmkit_loyalty.redeemed import Caller
from crmkit_loyalty.redeeming import redeem
from crmkit_loyalty.redeeming_rules import Purchase
from crmkit_loyalty.redemption_models import Redemption
from crmkit_loyalty.settings import LoyaltySettings
from crmkit_loyalty.transferring import Transfer, transfer
from crmkit_schema.requests import GraphQLRequest
from crmkit_schema.runtime import ComposedSchema

Item = tuple[str, str, str]
"""Sku, quantity, unit price."""


class Till:
    """Speaks to a `Crm` the way a till does; customers and receipts have short names."""

    def __init__(self, crm: Crm) -> None:
        self.crm = crm
        self.ids: dict[str, UUID] = {}
        self._numbers = itertools.count(1)

    @property
    def settings(self) -> LoyaltySettings:
        """The programme's settings."""
        settings = self.crm.registry["loyalty"].settings
        assert isinstance(settings, LoyaltySettings)
        return settings

    def enrol(self, *names: str) -> None:
        """Make customers known."""
        results = self.crm.upsert_customers([CustomerInput("till", name) for name in names])
        for name, result in zip(names, results, strict=True):
            assert result.id is not None
            self.ids[name] = result.id

    def document(
        self, kind: str, who: str | None, items: Iterable[Item] = (), **more: Any
    ) -> TransactionInput:
        """Write a receipt without recording it."""
        values: dict[str, Any] = {
            "external_id": f"receipt-{next(self._numbers)}",
            "occurred_at": NOON,
            "currency": "CNY",
            **more,
        }
        lines = [LineInput(sku, quantity, price) for sku, quantity, price in items]
        customer = CustomerRef(external_id=who) if who else None
        return TransactionInput("till", kind=kind, customer=customer, lines=lines, **values)

    def record(self, *documents: TransactionInput) -> str:
        """Record receipts in one batch; returns the name of the last one."""
        self.crm.record_transactions(documents)
        return documents[-1].external_id

    def sell(self, who: str | None, *items: Item, **more: Any) -> str:
        """Record a sale."""
        return self.record(self.document("sale", who, items, **more))

    def take_back(self, who: str | None, original: str | None, *items: Item, **more: Any) -> str:
        """Record a return; quantities are negative."""
        return self.record(self.document("return", who, items, original=original, **more))

    def void(self, original: str, **more: Any) -> str:
        """Void a receipt."""
        return self.record(self.document("void", None, original=original, **more))

    def attach(self, who: str, *receipts: str) -> None:
        """Say whose anonymous receipts were."""
        ref = CustomerRef(external_id=who)
        self.crm.attach_transactions([AttachInput("till", each, ref) for each in receipts])

    def adjust(self, who: str, points: int, key: str | None = None, **more: Any) -> Any:
        """Adjust points by hand."""
        values: dict[str, Any] = {
            "reason_code": "goodwill", "reason": "late parcel", "actor": "ann",
            "settings": self.settings, **more,
        }  # fmt: skip

        def work(session: Session) -> Any:
            return adjusting.adjust(
                session, self.ids[who], points, key=key or f"key-{next(self._numbers)}",
                now=self.crm.clock.now(), **values,
            )  # fmt: skip

        return self.crm.write(work)

    def redeem(
        self, who: str, points: int, receipt: str | None = None, key: str | None = None, **more: Any
    ) -> Redemption:
        """Redeem points for a receipt, or hold them."""
        total, kind = more.pop("total_minor", None), more.pop("point_kind", "points")
        purchase = Purchase(total, receipt and "till", receipt)
        account, caller = AccountKey(self.ids[who], kind), self.caller(key)
        return self.crm.write(
            lambda session: redeem(
                session, account, points, purchase, caller, self.settings, **more
            )
        )

    def redeem_held(
        self, held: Redemption, points: int | None = None, receipt: str | None = None,
        key: str | None = None,
    ) -> Redemption:  # fmt: skip
        """Redeem what is held."""
        purchase, caller = Purchase(None, receipt and "till", receipt), self.caller(key)
        return self.crm.write(
            lambda session: redeem_held(session, held.id, points, purchase, caller, self.settings)
        )

    def release(self, held: Redemption, key: str | None = None) -> Redemption:
        """Let go what is held."""
        caller = self.caller(key)
        return self.crm.write(lambda session: release(session, held.id, caller, self.settings))

    def cancel(self, redeemed: Redemption) -> Redemption:
        """Take a redemption back."""
        caller = self.caller()
        return self.crm.write(
            lambda session: cancel(session, redeemed.id, "no sale", caller, self.settings)
        )

    def transfer(self, giver: str, receiver: str, points: int) -> LedgerEntry:
        """Let a customer give points to another."""
        who, key = (self.ids[giver], self.ids[receiver]), f"key-{next(self._numbers)}"
        asked = Transfer(*who, "points", points, "family", key)
        now = self.crm.clock.now()
        return self.crm.write(
            lambda session: transfer(session, asked, actor="ann", now=now, settings=self.settings)
        )

    def caller(self, key: str | None = None) -> Caller:
        """Return somebody who asks now, with a new key unless one is given."""
        return Caller("ann", self.crm.clock.now(), key or f"key-{next(self._numbers)}")

    def available(self, who: str, kind: str = "points") -> int:
        """Return the points that can be spent."""
        account, now = AccountKey(self.ids[who], kind), self.crm.clock.now()

        def read(session: Session) -> int:
            book = ledger.open_book(session, {account[0]}, {account[0]}, now, self.settings)
            return book.available(account, now)

        return self.crm.write(read)

    def account(self, who: str) -> tuple[int, int]:
        """Return balance and debt."""
        with self.crm.read() as session:
            account = session.get(LoyaltyAccount, (self.ids[who], "points"))
            return (account.balance, account.debt) if account else (0, 0)

    def balance(self, who: str) -> int:
        """Return the points that can be spent."""
        return self.account(who)[0]

    def entries(self, who: str) -> list[LedgerEntry]:
        """Return the entries in the order recorded."""
        with self.crm.read() as session:
            wanted = select(LedgerEntry).where(LedgerEntry.customer_id == self.ids[who])
            found = sorted(session.exec(wanted).all(), key=lambda entry: entry.id)
            session.expunge_all()
            return found

    def deltas(self, who: str) -> list[tuple[str, int]]:
        """Return kind and points of the entries in the order recorded."""
        return [(entry.kind, entry.points_delta) for entry in self.entries(who)]

    def lots(self, who: str) -> list[tuple[int, int, datetime | None]]:
        """Return points, points left and expiry of the lots, oldest first."""
        sql = (
            "SELECT l.points, l.points - coalesce((SELECT sum(a.points) FROM loyalty_allocation a"
            " WHERE a.lot_id = l.id), 0), l.expires_at FROM loyalty_lot l"
            " WHERE l.customer_id = :id ORDER BY l.id"
        )
        id_ = self.ids[who].hex if self.crm.database.dialect == "sqlite" else self.ids[who]
        with self.crm.read() as session:
            rows = session.execute(text(sql), {"id": id_}).all()
        return [
            (points, int(left), datetime.fromisoformat(at) if isinstance(at, str) else at)
            for points, left, at in rows
        ]

    def active_dates(self, who: str) -> list[datetime | None]:
        """Return from when the points of each lot can be spent, oldest lot first."""
        with self.crm.read() as session:
            lots = session.exec(select(Lot).where(Lot.customer_id == self.ids[who])).all()
            return [lot.active_from for lot in sorted(lots, key=lambda lot: lot.entry_id)]

    def ask(self, query: str, role: str = "manager", **variables: Any) -> Any:
        """Return the data that the API answers."""
        actor = Actor("test", role, self.crm.roles[role])
        request = GraphQLRequest(query, variables)
        answer: Any = ComposedSchema(self.crm).execute(request, actor)
        assert not answer.errors, answer.errors
        return answer.data

    def differences(self) -> list[Difference]:
        """Return what `crmkit rebuild --check` would find in the points book."""
        with self.crm.read() as session:
            found: list[Difference] = []
            for loaded, rebuilder in self.crm.registry.rebuilders:
                if loaded.name == "loyalty":
                    found += rebuilder.check(session)
            return found

    def rebuild(self) -> None:
        """Do what `crmkit rebuild` does to the points book."""
        for loaded, rebuilder in self.crm.registry.rebuilders:
            if loaded.name == "loyalty":
                self.crm.write(rebuilder.rebuild)


@contextmanager
def _collecting(crm: Crm, word: str) -> Iterator[list[str]]:
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
        if word in sql:
            found.append(sql)

    writer, *others = crm.database.engines
    # On PostgreSQL sessions share the engine of writes.
    engines = [writer, *others] if crm.database.dialect == "sqlite" else [writer, others[-1]]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield found
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def statements_about() -> Callable[[Crm, str], AbstractContextManager[list[str]]]:
    """Give a context manager that collects the SQL inside it in which a word occurs."""
    return _collecting


TillFactory = Callable[..., Till]


def _till_of(crm: Crm) -> Till:
    till = Till(crm)
    till.enrol("ann", "bob")
    return till


@pytest.fixture
def till_of() -> Callable[[Crm], Till]:
    """Give a function that opens the shop of a `Crm`, for those who need further plugins."""
    return _till_of


@pytest.fixture
def till_factory(crm_factory: CrmFactory) -> TillFactory:
    """Give a function that opens a shop; keywords are settings of the programme."""

    def make(**options: Any) -> Till:
        return _till_of(crm_factory("loyalty", plugin={"loyalty": options}))

    return make


@pytest.fixture
def till(till_factory: TillFactory) -> Till:
    """Give a shop whose programme has its defaults: one point for each yuan."""
    return till_factory()
