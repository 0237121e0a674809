"""What sales, returns and voids do to tiers, on both databases."""

from datetime import date
from typing import Any, TypeAlias

import pytest
from sqlalchemy import Engine, event

from crmkit import AttachInput, CustomerRef
from tier_sets import CLUB, club

Shop: TypeAlias = Any
ShopFactory: TypeAlias = Any


def test_a_year_of_one_customer(shop_factory: ShopFactory) -> None:
    rules = club("calendar_year", review="fixed_date", review_on="12-31", grace_days=31)
    shop = shop_factory(club=rules)

    # 2024: 300 in March, 250 in June: 550 are past 500, silver until the year's end.
    shop.sell("ann", "300", "2024-03-01")
    shop.sell("ann", "250", "2024-06-01")
    assert (shop.tier("ann"), shop.held("ann").valid_until_on) == ("silver", date(2024, 12, 31))
    # 500 more in November: 1,050, gold.
    shop.sell("ann", "500", "2024-11-01")
    # 2025 begins. The year 2024 is reviewed first: 1,050 are past gold's 800, kept until 2025's
    # end. The new year's 100 alone would not be.
    shop.sell("ann", "100", "2025-02-01")
    # 2026: the review of 2025 finds 100 of 800. January is grace, and 2025's window stays open:
    # 600 on 20 January make 700, which is too little. After the 31st gold is gone, to the
    # tier that fits: what counts are the 700, so silver.
    shop.sell("ann", "600", "2026-01-20")
    assert shop.held("ann").at_risk_until_on == date(2026, 1, 31)
    shop.sell("ann", "1", "2026-03-01")

    assert shop.story("ann") == [
        ("joined", "member", "2024-03-01"),
        ("upgrade", "silver", "2024-06-01"),
        ("upgrade", "gold", "2024-11-01"),
        ("kept", "gold", "2024-11-01"),
        ("at_risk", "gold", "2024-11-01"),
        ("downgrade", "silver", "2026-02-01"),
    ]
    assert shop.held("ann").valid_until_on == date(2026, 12, 31)
    warned = shop.history("ann")[4].explanation["missing"]
    assert [(each["missing"], each["until_on"]) for each in warned] == [("700.00", "2026-01-31")]
    assert shop.differences() == []


def test_sending_a_batch_twice_writes_one_history_row(shop: Shop) -> None:
    receipts = [shop.document("ann", "600", "2026-06-01"), shop.document("bob", "5", "2026-06-01")]

    shop.record(*receipts)
    shop.record(*receipts)

    assert shop.story("ann") == [("joined", "silver", "2026-06-01")]
    assert shop.story("bob") == [("joined", "member", "2026-06-01")]


def test_a_change_says_what_it_was_decided_from(shop: Shop) -> None:
    shop.sell("ann", "499.99", "2026-06-01")
    shop.sell("ann", "0.01", "2026-06-02")

    change = shop.history("ann")[-1]

    assert (change.cause, change.from_tier, change.to_tier) == ("upgrade", "member", "silver")
    assert change.rule_version == shop.settings.sets["club"].version
    assert change.explanation["figures"] == [
        {
            "metric": "core.net_spend", "window": "lifetime", "days": None,
            "from": "1900-01-01", "to": "2026-06-02", "value": "500.00",
        }
    ]  # fmt: skip
    assert change.explanation["before"]["tier"] == "member"
    assert (change.reason, change.actor) == (None, None)


@pytest.mark.parametrize(
    ("policy", "after_return", "after_review"),
    [
        ("at_review", "gold", "silver"),
        ("at_once", "silver", "silver"),
        ("never", "gold", "gold"),
    ],
)
def test_what_a_return_does_is_a_setting(
    shop_factory: ShopFactory, policy: str, after_return: str, after_review: str
) -> None:
    shop = shop_factory(club=club(on_return=policy, review="fixed_date", review_on="12-31"))
    shop.sell("ann", "1000", "2026-06-01")

    shop.take_back("ann", "400", "2026-06-10")
    assert shop.tier("ann") == after_return

    shop.sell("ann", "1", "2027-01-02")
    assert shop.tier("ann") == after_review


def test_a_void_counts_as_if_the_sale_had_never_been(shop_factory: ShopFactory) -> None:
    shop = shop_factory(club=club(on_return="at_once"))
    receipt = shop.sell("ann", "1000", "2026-06-01")

    shop.record(shop.document(None, "", "2026-06-02", "void", original=receipt))

    assert shop.story("ann")[-1] == ("downgrade", "member", "2026-06-02")


def test_a_sale_that_comes_in_late_counts_with_what_came_after_it(shop: Shop) -> None:
    shop.sell("ann", "300", "2026-05-01")

    shop.sell("ann", "200", "2026-03-01")

    assert shop.story("ann") == [
        ("joined", "member", "2026-05-01"),
        ("upgrade", "silver", "2026-05-01"),
    ]


def test_an_attached_sale_counts_for_its_customer(shop: Shop) -> None:
    receipt = shop.sell(None, "700", "2026-06-01")

    shop.crm.attach_transactions([AttachInput("till", receipt, CustomerRef(external_id="ann"))])

    assert shop.tier("ann") == "silver"


def test_each_tier_set_has_its_own_conditions_and_history(shop_factory: ShopFactory) -> None:
    visits = {"metric": "core.purchase_days", "at_least": 2, "window": "rolling", "days": 7}
    pieces = {"metric": "core.quantity", "at_least": "2.5"}
    regular = {"all": [visits, {"not": {"any": [pieces, pieces]}}]}
    guests = {
        "currency": "CNY", "tiers": [{"name": "guest"}, {"name": "regular", "entry": regular}],
    }  # fmt: skip
    shop = shop_factory(club=CLUB, guests=guests)

    for day in ("2026-06-01", "2026-06-08"):  # seven days, the last included: only one visit
        shop.sell("ann", "300", day)
        assert shop.memberships("ann")["guests"].tier == "guest"
    for day in ("2026-06-01", "2026-06-07"):
        shop.sell("bob", "1", day)

    assert shop.memberships("ann")["club"].tier == "silver"
    assert shop.memberships("bob")["club"].tier == "member"
    assert shop.memberships("bob")["guests"].tier == "regular"


def test_only_money_of_the_sets_currency_counts(shop_factory: ShopFactory) -> None:
    shop = shop_factory(club={**CLUB, "currency": "EUR"})

    shop.sell("ann", "5000", "2026-06-01")

    assert shop.tier("ann") == "member"


def test_a_batch_takes_a_fixed_number_of_statements(shop: Shop) -> None:
    def statements(names: list[str], on: str) -> int:
        sent: list[str] = []

        def note(_c: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
            if "tiers_" in sql or "customer_day" in sql:
                sent.append(sql)

        event.listen(Engine, "before_cursor_execute", note)
        try:
            shop.record(*(shop.document(name, "100", on) for name in names))
        finally:
            event.remove(Engine, "before_cursor_execute", note)
        return len(sent)

    few, many = [f"few {n}" for n in range(10)], [f"many {n}" for n in range(150)]
    shop.enrol(*few, *many)

    for on in ("2026-06-01", "2026-06-02"):  # the first makes memberships, the second none
        assert statements(few, on) == statements(many, on)


def test_the_database_refuses_to_change_what_happened(shop: Shop) -> None:
    shop.sell("ann", "600", "2026-06-01")

    for sql in ("UPDATE tiers_change SET to_tier = 'gold'", "DELETE FROM tiers_change"):
        with pytest.raises(Exception, match="changes of tiers never change"):
            shop.crm.write(lambda session, sql=sql: session.connection().exec_driver_sql(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE tiers_membership SET tier = 'gold' WHERE tier = 'silver'",
        "UPDATE tiers_membership SET valid_until_on = '2030-01-01'",
        "DELETE FROM tiers_membership",
    ],
)
def test_a_planted_error_is_found_and_mended(shop: Shop, sql: str) -> None:
    shop.sell("ann", "600", "2026-06-01")
    shop.sell("bob", "5", "2026-06-01")
    before = shop.held("ann").model_dump()
    assert shop.differences() == []

    shop.crm.write(lambda session: session.connection().exec_driver_sql(sql))
    assert {found.table for found in shop.differences()} == {"tiers_membership"}

    shop.rebuild()
    assert shop.differences() == []
    assert shop.held("ann").model_dump() == before
