"""A small shop with tiers, for tests that tell stories."""

import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import select

from crmkit import Actor, Crm, CustomerInput, CustomerRef, Difference, LineInput, TransactionInput
from crmkit.testing import CrmFactory
from crmkit_schema.requests import GraphQLRequest
from crmkit_schema.runtime import ComposedSchema
from crmkit_tiers.models import TierChange, TierMembership
from crmkit_tiers.settings import TiersSettings
from tier_sets import CLUB


class Shop:
    """Sells for round amounts on given days; customers have short names."""

    def __init__(self, crm: Crm) -> None:
        self.crm = crm
        self.ids: dict[str, UUID] = {}
        self._numbers = itertools.count(1)

    @property
    def settings(self) -> TiersSettings:
        """The plugin's settings."""
        settings = self.crm.registry["tiers"].settings
        assert isinstance(settings, TiersSettings)
        return settings

    def enrol(self, *names: str) -> None:
        """Make customers known."""
        results = self.crm.upsert_customers([CustomerInput("till", name) for name in names])
        self.ids.update(
            (name, result.id) for name, result in zip(names, results, strict=True) if result.id
        )

    def document(
        self, who: str | None, amount: str, on: str, kind: str = "sale", **more: Any
    ) -> TransactionInput:
        """Write a receipt over one piece of an amount at noon of a day."""
        lines = [] if kind == "void" else [LineInput("tea", -1 if kind == "return" else 1, amount)]
        return TransactionInput(
            "till", f"receipt-{next(self._numbers)}",
            occurred_at=datetime.combine(date.fromisoformat(on), time(12), UTC),
            currency="CNY", kind=kind, lines=lines,
            customer=CustomerRef(external_id=who) if who else None, **more,
        )  # fmt: skip

    def record(self, *documents: TransactionInput) -> str:
        """Record receipts in one batch; returns the name of the last one."""
        self.crm.record_transactions(documents)
        return documents[-1].external_id

    def sell(self, who: str | None, amount: str, on: str) -> str:
        """Record a sale."""
        return self.record(self.document(who, amount, on))

    def take_back(self, who: str, amount: str, on: str) -> str:
        """Record a return."""
        return self.record(self.document(who, amount, on, "return"))

    def memberships(self, who: str) -> dict[str, TierMembership]:
        """Return what a customer holds, by tier set."""
        with self.crm.read() as session:
            wanted = select(TierMembership).where(TierMembership.customer_id == self.ids[who])
            found = session.exec(wanted).all()
            session.expunge_all()
            return {each.tier_set: each for each in found}

    def held(self, who: str) -> TierMembership:
        """Return what a customer holds in the set `club`."""
        return self.memberships(who)["club"]

    def tier(self, who: str) -> str:
        """Return a customer's tier in the set `club`."""
        return self.held(who).tier

    def history(self, who: str) -> list[TierChange]:
        """Return a customer's changes, oldest first."""
        with self.crm.read() as session:
            wanted = select(TierChange).where(TierChange.customer_id == self.ids[who])
            found = sorted(session.exec(wanted).all(), key=lambda change: change.number)
            session.expunge_all()
            return found

    def story(self, who: str) -> list[tuple[str, str, str]]:
        """Return cause, tier and first day of a customer's changes, oldest first."""
        return [(each.cause, each.to_tier, str(each.since_on)) for each in self.history(who)]

    def differences(self) -> list[Difference]:
        """Return what `crmkit rebuild --check` would find."""
        with self.crm.read() as session:
            return [
                found
                for loaded, rebuilder in self.crm.registry.rebuilders
                if loaded.name == "tiers"
                for found in rebuilder.check(session)
            ]

    def rebuild(self) -> None:
        """Do what `crmkit rebuild` does."""
        for loaded, rebuilder in self.crm.registry.rebuilders:
            if loaded.name == "tiers":
                self.crm.write(rebuilder.rebuild)


ShopFactory = Callable[..., Shop]


@pytest.fixture
def shop_factory(crm_factory: CrmFactory) -> ShopFactory:
    """Give a function that opens a shop: with other plugins first, and tier sets by name."""

    def make(*plugins: str, loyalty: Any = None, **sets: Any) -> Shop:
        options: dict[str, Any] = {"tiers": {"sets": sets or {"club": CLUB}}}
        if loyalty is not None:
            options["loyalty"] = loyalty
        shop = Shop(crm_factory(*plugins, "tiers", plugin=options))
        shop.enrol("ann", "bob")
        return shop

    return make


@pytest.fixture
def shop(shop_factory: ShopFactory) -> Shop:
    """Give a shop with the tier set `CLUB`."""
    return shop_factory()


Ask = Callable[..., Any]


@pytest.fixture
def ask(shop: Shop) -> Ask:
    """Give a function that runs an operation as an administrator, or with chosen permissions."""
    schema = ComposedSchema(shop.crm)

    def run(query: str, *permissions: str, **variables: Any) -> Any:
        allowed = frozenset(permissions) or shop.crm.roles["admin"]
        actor = Actor("ann's terminal", "admin", allowed)
        return schema.execute(GraphQLRequest(query, variables), actor)

    return run
