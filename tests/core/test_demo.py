"""The demo retailer is repeatable, plausible as input, and agrees with its own truth."""

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import mean, median
from typing import Any

import pytest

from crmkit.contact import normalise_email, normalise_phone
from crmkit.crm import Crm
from crmkit.demo import DemoRetailer, generate
from crmkit.demo.seasons import SHOP_ZONE
from crmkit.inputs import CustomerInput, InteractionInput, LineInput, Outcome, TransactionInput
from crmkit.money import line_amount, parse_micros, parse_milli, parse_minor
from crmkit.testing import NOON
from crmkit.times import parse_instant

PRINT_ALL = """
import dataclasses, json
from crmkit.demo import generate

def plain(value):
    return value.isoformat() if hasattr(value, "isoformat") else type(value).__name__

demo = generate(11, customers=40)
for stream in (demo.customers(), demo.transactions(), demo.interactions()):
    for one in stream:
        print(json.dumps(dataclasses.asdict(one), default=plain))
print(json.dumps(demo.truth))
"""


@dataclass(frozen=True)
class Recorded:
    """Everything a demo retailer yields, read once."""

    demo: DemoRetailer
    customers: list[CustomerInput]
    transactions: list[TransactionInput]
    interactions: list[InteractionInput]
    truth: Mapping[str, Any]

    @property
    def by_id(self) -> dict[str, TransactionInput]:
        return {one.external_id: one for one in self.transactions}

    def sales(self) -> Iterator[TransactionInput]:
        """Sales that stand: voided ones are left out."""
        voided = {one.original for one in self.transactions if one.kind == "void"}
        for one in self.transactions:
            if one.kind == "sale" and one.external_id not in voided:
                yield one

    def purchases(self) -> dict[str, list[TransactionInput]]:
        """Sales that stand, per known customer, in order."""
        found: dict[str, list[TransactionInput]] = defaultdict(list)
        for one in self.sales():
            if one.customer is not None:
                found[str(one.customer.external_id)].append(one)
        return found

    def of(self, *archetypes: str) -> Iterator[tuple[Mapping[str, Any], list[TransactionInput]]]:
        """Truth and purchases of the customers of some archetypes."""
        purchases = self.purchases()
        for external_id, truth in self.truth["customers"].items():
            if truth["archetype"] in archetypes:
                yield truth, purchases[external_id]


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    demo = generate(7)
    return Recorded(
        demo,
        list(demo.customers()),
        list(demo.transactions()),
        list(demo.interactions()),
        json.loads(json.dumps(demo.truth)),
    )


def day_of(one: TransactionInput | InteractionInput) -> date:
    return parse_instant(one.occurred_at).astimezone(SHOP_ZONE).date()


def day(text: str) -> date:
    return date.fromisoformat(text)


def gaps_days(purchases: list[TransactionInput]) -> list[int]:
    return [(day_of(later) - day_of(earlier)).days for earlier, later in pairwise(purchases)]


def amount_minor(line: LineInput) -> int:
    gross = line_amount(parse_milli(line.quantity), parse_micros(line.unit_price), "CNY")
    return gross - parse_minor(line.discount, "CNY")


def printed_by_new_process(hash_seed: str) -> bytes:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    run = subprocess.run(
        [sys.executable, "-c", PRINT_ALL], env=environment, capture_output=True, check=True
    )
    return run.stdout


# Repeatable


def test_a_seed_gives_the_same_bytes_in_every_process() -> None:
    first, second = printed_by_new_process("1"), printed_by_new_process("2")

    assert len(first) > 100_000
    assert first == second


def test_another_seed_gives_another_retailer() -> None:
    one, other = generate(1, customers=40), generate(2, customers=40)

    assert list(one.customers()) != list(other.customers())
    assert list(one.transactions()) != list(other.transactions())
    assert one.truth["customers"] != other.truth["customers"]


def test_a_stream_read_twice_gives_the_same_values(recorded: Recorded) -> None:
    assert list(recorded.demo.transactions()) == recorded.transactions
    assert list(recorded.demo.interactions()) == recorded.interactions


# Size and shares


def test_the_default_retailer_is_large_enough_to_analyse_and_quick_to_record(
    recorded: Recorded,
) -> None:
    lines = sum(len(one.lines) for one in recorded.transactions)

    assert len(recorded.customers) == 600
    assert 12_000 <= len(recorded.transactions) <= 15_000
    assert 30_000 <= lines <= 40_000
    assert 110 <= len(recorded.demo.products) <= 130
    assert len(recorded.demo.stores) == 4


def test_archetypes_have_exactly_their_planted_shares(recorded: Recorded) -> None:
    counts = Counter(one["archetype"] for one in recorded.truth["customers"].values())

    assert {name: count / 600 for name, count in counts.items()} == pytest.approx(
        recorded.truth["archetype_shares"]
    )


def test_archetypes_are_dealt_whole_when_shares_do_not_divide() -> None:
    counts = Counter(one["archetype"] for one in generate(1, 13).truth["customers"].values())

    assert sum(counts.values()) == 13
    assert counts["regular"] in (2, 3)


def test_strangers_make_the_planted_share_of_sales(recorded: Recorded) -> None:
    sales = list(recorded.sales())
    anonymous = sum(one.customer is None for one in sales)

    assert anonymous / len(sales) == pytest.approx(recorded.truth["anonymous_share"], abs=0.005)


def test_all_kinds_of_transactions_and_channels_occur(recorded: Recorded) -> None:
    kinds = Counter(one.kind for one in recorded.transactions)

    assert kinds["return"] > 100
    assert kinds["exchange"] > 20
    assert kinds["void"] > 20
    assert {one.channel for one in recorded.transactions} == {"store", "online"}
    assert len({one.store for one in recorded.transactions} - {None}) == 4


def test_business_goes_on_until_the_last_day(recorded: Recorded) -> None:
    last_on = recorded.demo.last_on
    last_week = Counter(
        day_of(one) for one in recorded.sales() if day_of(one) > last_on - timedelta(7)
    )

    assert len(last_week) == 7
    assert min(last_week.values()) >= 8
    assert max(day_of(one) for one in recorded.interactions) >= last_on - timedelta(1)


# Customers


def test_about_sixty_percent_have_chinese_names_written_family_first(recorded: Recorded) -> None:
    chinese = [one for one in recorded.customers if one.language == "zh-CN"]

    assert len(chinese) / 600 == pytest.approx(0.6, abs=0.06)
    assert all(one.display_name == f"{one.family_name}{one.given_name}" for one in chinese)
    assert all(str(one.display_name) > "一" for one in chinese)


def test_other_names_are_written_given_name_first(recorded: Recorded) -> None:
    others = [one for one in recorded.customers if one.language != "zh-CN"]

    assert all(one.display_name == f"{one.given_name} {one.family_name}" for one in others)


def test_every_phone_is_a_valid_number_and_nobody_shares_one(recorded: Recorded) -> None:
    points = [point for one in recorded.customers for point in one.contact_points]
    phones = [point.value for point in points if point.kind == "phone"]

    assert len(phones) > 500
    assert all(normalise_phone(value, "CN") == value for value in phones)
    assert len(set(phones)) == len(phones)
    assert {value[:3] for value in phones} >= {"+86", "+44"}
    assert any(value.startswith("+1") for value in phones)


def test_every_email_is_deliverable_to_nobody_and_unique(recorded: Recorded) -> None:
    points = [point for one in recorded.customers for point in one.contact_points]
    emails = [point.value for point in points if point.kind == "email"]

    assert len(emails) > 400
    assert all(normalise_email(value) == value for value in emails)
    assert all(value.endswith(("@example.com", "@example.cn")) for value in emails)
    assert len(set(emails)) == len(emails)


def test_every_customer_can_be_reached_and_placed(recorded: Recorded) -> None:
    for one in recorded.customers:
        assert one.contact_points
        assert one.addresses[0].region in {"上海市", "江苏省", "浙江省"}
        assert one.gender in {"female", "male"}
        assert isinstance(one.birth_on, date)
        assert date(1930, 1, 1) < one.birth_on < date(2009, 1, 1)


# Transactions


def test_every_record_has_its_own_external_id(recorded: Recorded) -> None:
    for records in (recorded.customers, recorded.transactions, recorded.interactions):
        ids = [(one.source, one.external_id) for one in records]

        assert len(set(ids)) == len(ids)
        assert {source for source, _ in ids} == {"demo"}


def test_transactions_come_in_order_of_time_within_opening_hours(recorded: Recorded) -> None:
    times = [one.occurred_at for one in recorded.transactions]
    assert all(isinstance(at, datetime) and at.tzinfo is UTC for at in times)
    instants = [parse_instant(at) for at in times]

    assert instants == sorted(instants)
    assert all(8 <= at.astimezone(SHOP_ZONE).hour < 22 for at in instants)
    assert recorded.demo.first_on <= day_of(recorded.transactions[0])
    assert day_of(recorded.transactions[-1]) == recorded.demo.last_on


def test_amounts_and_quantities_are_text_a_till_could_print(recorded: Recorded) -> None:
    lines = [line for one in recorded.transactions for line in one.lines]

    assert all(isinstance(line.quantity, str) for line in lines)
    assert all(isinstance(line.unit_price, str) for line in lines)
    assert all(parse_minor(line.unit_price, "CNY") > 0 for line in lines)
    assert all(amount_minor(line) > 0 for line in lines if parse_milli(line.quantity) > 0)


def test_products_sell_at_their_list_price_less_the_weeks_promotion(recorded: Recorded) -> None:
    prices = {one.sku: one.price_minor for one in recorded.demo.products}
    for sale in recorded.sales():
        promoted = recorded.demo.promotions.on(day_of(sale))
        goods = [line for line in sale.lines if line.kind == "product"]

        assert all(parse_minor(x.unit_price, "CNY") == prices[x.sku] for x in goods)
        assert all((parse_minor(x.discount, "CNY") > 0) == (x.sku in promoted) for x in goods)


def test_what_comes_back_was_sold_before_and_never_more_of_it(recorded: Recorded) -> None:
    by_id = recorded.by_id
    left = Counter[tuple[str, int]]()
    for one in recorded.transactions:
        for position, line in enumerate(one.lines, 1):
            if line.original_position is None:
                left[one.external_id, position] += parse_milli(line.quantity)
                continue
            original = by_id[str(one.original)]
            left[original.external_id, line.original_position] += parse_milli(line.quantity)

            assert parse_milli(line.quantity) < 0
            assert parse_instant(original.occurred_at) < parse_instant(one.occurred_at)
            assert original.lines[line.original_position - 1].sku == line.sku
            assert original.customer == one.customer
    assert min(left.values()) >= 0


def test_a_refund_pays_what_the_piece_cost_after_its_reduction(recorded: Recorded) -> None:
    by_id = recorded.by_id
    returns = [one for one in recorded.transactions if one.kind == "return"]
    for one in returns:
        (back,) = one.lines
        sold = by_id[str(one.original)].lines[(back.original_position or 0) - 1]
        refund_minor = amount_minor(back) * parse_milli(sold.quantity)

        assert -refund_minor == amount_minor(sold) * -parse_milli(back.quantity)
    assert any(
        parse_minor(by_id[str(one.original)].lines[0].discount, "CNY") > 0 for one in returns
    )


def test_an_exchange_takes_one_thing_back_and_gives_another_of_its_kind(
    recorded: Recorded,
) -> None:
    for one in recorded.transactions:
        if one.kind == "exchange":
            back, instead = one.lines

            assert back.category == instead.category
            assert back.sku != instead.sku
            assert parse_milli(back.quantity) == -parse_milli(instead.quantity)


def test_a_void_has_no_lines_and_names_a_sale_of_the_same_day_once(recorded: Recorded) -> None:
    voids = [one for one in recorded.transactions if one.kind == "void"]
    by_id = recorded.by_id
    brought_back = {one.original for one in recorded.transactions if one.kind != "void"}

    assert len({one.original for one in voids}) == len(voids)
    for one in voids:
        assert not one.lines
        assert day_of(by_id[str(one.original)]) == day_of(one)
        assert one.original not in brought_back


# Truth


def test_leavers_never_buy_or_speak_after_their_leaving_day(recorded: Recorded) -> None:
    leaves_on = {
        external_id: day(one["leaves_on"])
        for external_id, one in recorded.truth["customers"].items()
        if one["leaves_on"]
    }
    assert len(leaves_on) == 72
    records: list[TransactionInput | InteractionInput] = []
    records += recorded.transactions
    records += recorded.interactions
    for record in records:
        who = "" if record.customer is None else str(record.customer.external_id)
        assert day_of(record) <= leaves_on.get(who, recorded.demo.last_on)


def test_a_leavers_silence_is_long_against_the_usual_interval(recorded: Recorded) -> None:
    for truth, purchases in recorded.of("leaver"):
        silence_days = (recorded.demo.last_on - day_of(purchases[-1])).days

        assert len(purchases) >= 4
        assert silence_days > 3 * truth["interval_days"]


def test_leavers_complain_and_rate_badly_before_they_leave(recorded: Recorded) -> None:
    ratings: dict[bool, list[int]] = {True: [], False: []}
    angry_complaints = 0
    for one in recorded.interactions:
        assert one.customer is not None
        leaves_on = recorded.truth["customers"][one.customer.external_id]["leaves_on"]
        is_angry = bool(leaves_on) and (day(leaves_on) - day_of(one)).days <= 50
        angry_complaints += is_angry and one.kind == "complaint"
        if one.rating is not None:
            ratings[is_angry].append(one.rating)

    assert angry_complaints > 30
    assert mean(ratings[True]) < 3 < mean(ratings[False])


def test_lapsed_customers_pause_and_come_back(recorded: Recorded) -> None:
    for truth, purchases in recorded.of("lapsed_returned"):
        days = [day_of(one) for one in purchases]
        pause_from, pause_until = day(truth["lapsed_from"]), day(truth["lapsed_until"])

        assert not any(pause_from <= one <= pause_until for one in days)
        assert sum(one < pause_from for one in days) >= 3
        assert sum(one > pause_until for one in days) >= 3


def test_one_time_customers_buy_exactly_once(recorded: Recorded) -> None:
    assert all(len(purchases) == 1 for _, purchases in recorded.of("one_time"))


def test_gift_buyers_come_in_gift_seasons_only_and_mostly_for_gifts(recorded: Recorded) -> None:
    seasons = [(day(s["first_on"]), day(s["last_on"])) for s in recorded.truth["gift_seasons"]]
    categories = Counter[str | None]()
    for _, purchases in recorded.of("gift_season"):
        for one in purchases:
            assert any(first <= day_of(one) <= last for first, last in seasons)
            categories.update(line.category for line in one.lines)

    assert len(seasons) == 6
    assert categories.most_common(1)[0][0] == "礼品"


def test_planted_intervals_can_be_recovered_from_purchases(recorded: Recorded) -> None:
    errors = []
    for truth, purchases in recorded.of("loyal", "regular", "leaver"):
        if len(purchases) >= 8:
            found_days = mean(gaps_days(purchases))
            error = abs(found_days / truth["interval_days"] - 1)
            errors.append(error)
            # Four standard errors of the mean: a correct generator fails once in 16,000.
            assert error < 4 * truth["interval_spread"] / (len(purchases) - 1) ** 0.5 + 0.02

    assert len(errors) > 200
    assert median(errors) < 0.05


def test_growing_customers_come_more_often_towards_the_end(recorded: Recorded) -> None:
    ratios = []
    for truth, purchases in recorded.of("growing"):
        gaps = gaps_days(purchases)
        ratios.append(mean(gaps[-5:]) / truth["final_interval_days"])

        assert mean(gaps[-5:]) < 0.8 * mean(gaps[:5])
    assert 0.95 < median(ratios) < 1.3


def test_bargain_hunters_buy_mostly_what_is_reduced(recorded: Recorded) -> None:
    def reduced_share(*archetypes: str) -> float:
        reduced = [
            parse_minor(line.discount, "CNY") > 0
            for _, purchases in recorded.of(*archetypes)
            for one in purchases
            for line in one.lines
            if line.kind == "product"
        ]
        return mean(reduced)

    assert reduced_share("bargain_hunter") > 0.8
    assert reduced_share("regular", "loyal", "occasional") < 0.25


def test_favourite_categories_lead_a_customers_purchases(recorded: Recorded) -> None:
    for truth, purchases in recorded.of("loyal"):
        bought = Counter(line.category for one in purchases for line in one.lines)
        favourite = sum(bought[name] for name in truth["favourite_categories"])

        assert favourite > 0.35 * bought.total()


def test_staples_are_not_bought_again_before_they_are_used_up(recorded: Recorded) -> None:
    bought_again = 0
    for truth, purchases in recorded.of("loyal", "regular", "growing"):
        for sku, cycle_days in truth["staples"].items():
            with_it = [p for p in purchases if any(line.sku == sku for line in p.lines)]
            bought_again += len(with_it) > 1
            assert all(gap >= cycle_days for gap in gaps_days(with_it))

    assert bought_again > 300


def test_planted_pairs_are_bought_together_far_more_often_than_by_chance(
    recorded: Recorded,
) -> None:
    baskets = [{line.sku for line in one.lines} for one in recorded.sales()]
    for pair in recorded.truth["pairs"]:
        with_first = [basket for basket in baskets if pair["sku"] in basket]
        both = sum(pair["companion_sku"] in basket for basket in with_first)
        second = sum(pair["companion_sku"] in basket for basket in baskets)
        confidence = both / len(with_first)

        assert confidence / (second / len(baskets)) > 2
        deviation = (pair["probability"] * (1 - pair["probability"]) / len(with_first)) ** 0.5
        assert confidence == pytest.approx(pair["probability"], abs=4 * deviation + 0.05)


def test_parents_buy_baby_goods_first_and_goods_for_children_later(recorded: Recorded) -> None:
    seen = Counter[str]()
    child_from = timedelta(recorded.truth["child_from_days"])
    for external_id, purchases in recorded.purchases().items():
        born = recorded.truth["customers"][external_id]["child_born_on"]
        for one in purchases:
            categories = {str(line.category) for line in one.lines} & {"母婴", "儿童"}
            if categories:
                is_child = day_of(one) >= day(born) + child_from
                assert day_of(one) >= day(born)
                assert categories == {"儿童" if is_child else "母婴"}
                seen[categories.pop()] += 1

    assert min(seen["母婴"], seen["儿童"]) > 100


def test_the_truth_is_written_as_json_that_reads_back_equal(
    recorded: Recorded, tmp_path: Path
) -> None:
    path = tmp_path / "demo_truth.json"

    recorded.demo.write_truth(path)

    assert json.loads(path.read_text(encoding="utf-8")) == recorded.demo.truth


# Interactions


def test_interactions_come_in_order_and_name_what_exists(recorded: Recorded) -> None:
    instants = [parse_instant(one.occurred_at) for one in recorded.interactions]
    by_id = recorded.by_id
    skus = {one.sku for one in recorded.demo.products}

    assert instants == sorted(instants)
    for one in recorded.interactions:
        assert one.sku is None or one.sku in skus
        assert one.transaction is None or by_id[one.transaction].customer == one.customer


def test_every_kind_of_interaction_carries_what_it_is_about(recorded: Recorded) -> None:
    by_kind: dict[str, list[InteractionInput]] = defaultdict(list)
    for one in recorded.interactions:
        by_kind[one.kind].append(one)

    said = {"inquiry", "complaint", "suggestion", "review"}
    assert by_kind.keys() == said | {"visit", "view", "search"}
    assert all(one.content and "{" not in one.content for kind in said for one in by_kind[kind])
    assert all(
        (one.rating in range(1, 6)) == (one.kind == "review") for one in recorded.interactions
    )
    assert all(one.payload and one.payload["query"] for one in by_kind["search"])
    assert all(one.sku for one in by_kind["view"])


# Recorded


def test_crmkit_takes_every_record_once(crm: Crm) -> None:
    demo = generate(5, customers=40, until=NOON.date() - timedelta(1), years=1)

    for expected in (Outcome.TAKEN, Outcome.KNOWN):
        people = crm.upsert_customers(list(demo.customers()))
        sold = crm.record_transactions(list(demo.transactions()))
        said = crm.record_interactions(list(demo.interactions()))

        assert {one.outcome for one in sold} == {one.outcome for one in said} == {expected}
        assert len({one.id for one in people}) == 40


# Other sizes


@pytest.mark.parametrize(
    ("customers", "until", "years"),
    [(1, date(2026, 10, 31), 2), (30, date(2024, 2, 29), 1), (30, date(2040, 1, 1), 10)],
)
def test_other_sizes_and_periods_work(customers: int, until: date, years: int) -> None:
    demo = generate(3, customers, until, years)
    days = [day_of(one) for one in demo.transactions()]

    assert sum(1 for _ in demo.customers()) == customers
    assert demo.first_on == until - timedelta(365 * years - 1)
    assert all(demo.first_on <= one <= until for one in days)


@pytest.mark.parametrize(("customers", "years"), [(0, 2), (-1, 2), (10, 0), (10, 11)])
def test_sizes_out_of_range_are_refused(customers: int, years: int) -> None:
    with pytest.raises(ValueError, match="needs 1 customer or more"):
        generate(1, customers, years=years)
