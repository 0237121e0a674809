"""Reading history again in the order of its time, and recording it in a copy."""

import dataclasses
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Select, String, literal, null
from sqlmodel import Session, select

from crmkit import Crm, CustomerInput, Metric, Plugin, Service, hookimpl, table_of
from crmkit.models import Customer, CustomerMetrics, Transaction
from crmkit.rehearsing import Period, copy_metrics, history, open_copy, replay
from crmkit.rehearsing.history import in_order
from crmkit.testing import NOON, CrmFactory, sale

HOUR = timedelta(hours=1)
LATER = NOON + 1_000 * HOUR


def _order(crm: Crm, until: datetime = LATER) -> list[str]:
    with crm.read() as session:
        return [each.transaction.external_id for each in in_order(session, until)]


@pytest.fixture
def shop(crm_factory: CrmFactory) -> Crm:
    crm = crm_factory()
    crm.upsert_customers([CustomerInput("till", "ann", display_name="Ann")])
    return crm


def test_history_comes_in_the_order_of_its_time_whatever_was_recorded_first(
    shop: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGE", 3)
    hours = [5, 2, 9, 2, 7, 1, 8]
    shop.record_transactions(
        [sale(f"{at}", occurred_at=NOON + at * HOUR) for at in hours if at != 2]
    )
    for name in ("2a", "2b", "2c", "2d"):
        shop.record_transactions([sale(name, occurred_at=NOON + 2 * HOUR)])

    assert _order(shop) == ["1", "2a", "2b", "2c", "2d", "5", "7", "8", "9"]
    assert _order(shop, NOON + 7 * HOUR) == ["1", "2a", "2b", "2c", "2d", "5"]


def test_what_precedes_its_original_follows_it_at_once(shop: Crm) -> None:
    back = [("tea", -1, "10.00")]
    shop.record_transactions([sale("sale", customer="ann", occurred_at=NOON + 5 * HOUR)])
    shop.record_transactions(
        [sale("return", *back, kind="return", original="sale", customer="ann", occurred_at=NOON)]
    )
    void = sale("void", occurred_at=NOON + 2 * HOUR, kind="void", original="return")
    shop.record_transactions([dataclasses.replace(void, lines=[])])
    shop.record_transactions([sale("other", occurred_at=NOON + 3 * HOUR)])

    assert _order(shop) == ["other", "sale", "return", "void"]
    assert _order(shop, NOON + 4 * HOUR) == ["other"]


class Rehearsed:
    """A plugin that has nothing but a name."""

    plugin = Plugin("rehearsed", "1", "For a test.")


class Counts:
    """A plugin with a metric and a service over all sales."""

    plugin = Plugin("counts", "1", "For a test.")

    @hookimpl
    def register_metrics(self) -> list[Metric]:
        return [Metric("counts.sales", "sales", "Sales.", self._daily)]

    def _daily(self) -> Select[Any]:
        table, nothing = table_of(Transaction), null().cast(String).label("currency")
        one = literal(1).label("value")
        return select(table.c.customer_id, table.c.business_on, nothing, one)

    @hookimpl
    def register_services(self) -> list[Service]:
        def count(session: Session, least: int) -> bool:
            return len(session.exec(select(Transaction.id)).all()) >= least

        return [Service("counts.enough", 1, "Tells whether there are enough sales.", count)]

    @hookimpl
    def transactions_recorded(self, session: Session) -> None:
        assert session.exec(select(Customer.display_name)).all() != [""], "called in the copy"


@pytest.fixture
def busy(crm_factory: CrmFactory) -> Crm:
    crm = crm_factory(Rehearsed(), Counts())
    crm.upsert_customers([CustomerInput("till", "ann", display_name="Ann")])
    crm.record_transactions(
        [sale(f"{n}", customer="ann", occurred_at=NOON + n * HOUR) for n in range(4)]
    )
    return crm


def test_a_copy_has_the_figures_of_the_shop_and_none_of_its_names(busy: Crm) -> None:
    with busy.read() as session, open_copy(busy, session, "rehearsed", {}) as copy:
        replay(session, copy, LATER)
        with copy.read() as of_copy:
            assert of_copy.exec(select(Customer.display_name)).all() == [""]
            figures = select(CustomerMetrics)
            assert of_copy.exec(figures).all() == session.exec(figures).all()


def test_the_other_plugins_do_nothing_in_a_copy_but_answer_from_the_shop(busy: Crm) -> None:
    with busy.read() as session, open_copy(busy, session, "rehearsed", {}) as copy:
        copy_metrics(busy.registry, session, copy, ["counts.sales", "core.net_spend"])
        enough = copy.registry.services.find("counts.enough", 1)
        with copy.read() as of_copy:
            days = of_copy.execute(copy.registry.metrics["counts.sales"].daily()).all()
            assert enough is not None
            assert (enough(of_copy, 4), enough(of_copy, 5)) == (True, False)
            assert [(str(day.business_on), day.value) for day in days] == [("2026-06-15", 1)] * 4


def test_a_period_knows_the_ends_of_its_months() -> None:
    period = Period(date(2026, 1, 20), date(2026, 3, 8), ZoneInfo("Asia/Shanghai"))

    assert [str(end) for end in period.month_ends()] == ["2026-01-31", "2026-02-28", "2026-03-08"]
    assert period.until == datetime(2026, 3, 8, 16, tzinfo=UTC)
