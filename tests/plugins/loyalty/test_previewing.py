"""What a basket would earn: exactly what recording it posts, without writing anything."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

import pytest

from crmkit import Actor, LineInput, Plugin, Service, TransactionInput, hookimpl
from crmkit.testing import NOON, CrmFactory
from crmkit_schema.requests import GraphQLRequest
from crmkit_schema.runtime import ComposedSchema
from earning_checker import points_from

Till: TypeAlias = Any
TillFactory: TypeAlias = Any
Pairs: TypeAlias = Sequence[tuple[UUID, datetime]]

PREVIEW = """
query ($input: PointsPreviewInput!) {
  pointsPreview(input: $input) {
    __typename
    ... on PointsPreview {
      entries { rule line pointKind points explanation activeFrom expiresAt }
      totals { pointKind points }
    }
    ... on ValidationProblem { code problems { code field message value row } }
    ... on RefusedProblem { code message }
  }
}
"""
RECORD = """
mutation ($rows: [TransactionInput!]!) {
  recordTransactions(input: {transactions: $rows}) {
    ... on ValidationProblem { problems { code field message value row } }
  }
}
"""
BASE: dict[str, Any] = {"name": "base", "kind": "per_amount", "points": 1}
STAMPS: dict[str, Any] = {
    "name": "stamps", "kind": "per_quantity", "points": 1, "point_kind": "stamps", "skus": ["tea"],
}  # fmt: skip
PROGRAMMES: list[dict[str, Any]] = [
    {"points_per_major_unit": "0.7", "lifetime_days": 30},
    {
        "rules": [
            {**BASE, "customer_day_max": 700, "customer_month_max": 3000},
            {**BASE, "name": "north", "points": "0.3", "stores": ["north"], "rounding": "half_up"},
            STAMPS,
            {"name": "lines", "kind": "per_line", "points": "1.5", "sale_max": 4},
            {"name": "gift", "kind": "bonus", "points": 9, "amount_min": 60, "budget": 100},
            {"name": "twice", "kind": "multiplier", "factor": 2, "segments": ["vip"]},
            {"name": "gold", "kind": "multiplier", "factor": "1.1", "tiers": {"club": ["gold"]}},
        ],
        "point_kinds": {"stamps": {"holding_days": 14}},
        "lifetime_months": 6,
    },
]


class Clubs:
    """A plugin that tells tiers and segments by the customer and the day."""

    plugin = Plugin("tiers", "1.0", "Knows tiers.")

    @hookimpl
    def register_services(self) -> Sequence[Service]:
        return [
            Service("tiers.held", 1, "Tiers.", self.held),
            Service("tiers.multiplier", 1, "Multipliers.", self.multiplied),
        ]

    def held(self, _session: Any, wanted: Pairs) -> list[Mapping[str, str]]:
        return [{"club": "gold" if at.day % 2 else "silver"} for _, at in wanted]

    def multiplied(self, _session: Any, wanted: Pairs) -> list[list[tuple[str, str, Decimal]]]:
        return [[("club", "gold", Decimal("1.5"))] if at.day % 3 else [] for _, at in wanted]


class Groups:
    """A plugin that tells segments by the customer and the day."""

    plugin = Plugin("segments", "1.0", "Knows segments.")

    @hookimpl
    def register_services(self) -> Sequence[Service]:
        return [Service("segments.held", 1, "Segments.", self.held)]

    def held(self, _session: Any, wanted: Pairs) -> list[frozenset[str]]:
        return [frozenset({"vip"} if who.int % 2 or at.day % 5 else ()) for who, at in wanted]


class Desk:
    """Asks what baskets would earn."""

    def __init__(self, till: Till) -> None:
        self.till = till
        self._schema = ComposedSchema(till.crm)

    def ask(self, query: str, *permissions: str, **variables: Any) -> Any:
        allowed = frozenset(permissions) or self.till.crm.roles["admin"]
        actor = Actor("desk", "admin", allowed)
        return self._schema.execute(GraphQLRequest(query, variables), actor)

    def preview(self, who: str, *lines: Mapping[str, Any], **more: Any) -> Any:
        given = {"customerId": f"cus_{self.till.ids[who].hex}", "currency": "CNY", "lines": lines}
        answer = self.ask(PREVIEW, input={**given, **more})
        assert not answer.errors, answer.errors
        return answer.data["pointsPreview"]


def line(sku: str, quantity: str, price: str, **more: Any) -> dict[str, Any]:
    return {"sku": sku, "quantity": quantity, "unitPrice": price, **more}


def posted(till: Till, who: str, before: int) -> list[dict[str, Any]]:
    return [
        {
            "rule": entry.rule, "line": entry.line, "pointKind": entry.point_kind,
            "points": entry.points_delta, "explanation": entry.explanation,
        }
        for entry in till.entries(who)[before:]
    ]  # fmt: skip


@pytest.mark.parametrize("programme", PROGRAMMES, ids=["without rules", "with rules"])
def test_recording_a_sale_posts_exactly_what_was_shown(
    crm_factory: CrmFactory, till_of: Any, programme: dict[str, Any]
) -> None:
    till = till_of(crm_factory("loyalty", Clubs(), Groups(), plugin={"loyalty": programme}))
    desk, chance = Desk(till), random.Random(20261128)
    seen: set[str] = set()
    for number in range(80):
        who, store = chance.choice(["ann", "bob"]), chance.choice(["north", "south", None])
        at = (NOON + timedelta(hours=chance.randint(-900, 900))).isoformat()
        figures = [
            (chance.choice(["tea", "cup"]), f"{chance.randint(1, 9000) / 1000}",
             f"{chance.randint(0, 9000) / 100:.2f}", f"{chance.randint(0, 1) / 100:.2f}")
            for _ in range(chance.randint(1, 4))
        ]  # fmt: skip
        basket = [line(*some[:3], discount=some[3]) for some in figures]
        before = len(till.entries(who))

        shown = desk.preview(who, *basket, store=store, occurredAt=at)
        till.crm.record_transactions([
            TransactionInput(
                "till", f"s{number}", at, "CNY", store=store,
                customer=till.document("sale", who).customer,
                lines=[LineInput(*some[:3], discount=some[3]) for some in figures],
            )
        ])  # fmt: skip

        entries = posted(till, who, before)
        assert [
            {name: each[name] for name in ("rule", "line", "pointKind", "points", "explanation")}
            for each in shown["entries"]
        ] == entries
        for kind in {each["pointKind"] for each in entries}:
            total = sum(each["points"] for each in entries if each["pointKind"] == kind)
            assert {"pointKind": kind, "points": total} in shown["totals"]
        seen |= {each["rule"] for each in entries}
    rules = programme.get("rules", [{"name": "per_amount", "kind": "per_amount"}])
    assert seen == {rule["name"] for rule in rules if rule["kind"] != "multiplier"}


def test_the_preview_says_why_and_how_long_the_points_would_be_good(
    till_factory: TillFactory,
) -> None:
    kinds = {"stamps": {"holding_days": 14}}
    till = till_factory(rules=[BASE, STAMPS], point_kinds=kinds, lifetime_months=6)

    shown = Desk(till).preview("ann", line("tea", "2", "30.00"))

    points, stamps = shown["entries"]
    assert points_from(points["explanation"]) == points["points"] == 60
    assert (points["activeFrom"], points["expiresAt"]) == (
        "2026-06-15T04:00:00Z", "2026-12-15T04:00:00Z",
    )  # fmt: skip
    assert (stamps["activeFrom"], stamps["expiresAt"]) == ("2026-06-29T04:00:00Z", None)
    assert shown["totals"] == [
        {"pointKind": "points", "points": 60}, {"pointKind": "stamps", "points": 2},
    ]  # fmt: skip


def test_a_limit_is_shown_as_it_stands_now(till_factory: TillFactory) -> None:
    till = till_factory(rules=[{**BASE, "customer_day_max": 100}])
    till.sell("ann", ("tea", "1", "70.00"))
    desk = Desk(till)

    for _ in range(2):  # it uses nothing up
        assert desk.preview("ann", line("tea", "1", "70.00"))["totals"][0]["points"] == 30
    till.sell("ann", ("tea", "1", "70.00"))
    assert desk.preview("ann", line("tea", "1", "70.00"))["entries"] == []
    assert desk.preview("bob", line("tea", "1", "70.00"))["totals"][0]["points"] == 70


def test_a_preview_writes_nothing_and_takes_no_more_statements_for_more_lines(
    till_factory: TillFactory, statements_about: Any
) -> None:
    till = till_factory(rules=[{**BASE, "customer_day_max": 10**6}, STAMPS],
                        point_kinds={"stamps": {}})  # fmt: skip
    desk = Desk(till)

    with statements_about(till.crm, " ") as few:
        desk.preview("ann", line("tea", "1", "1.00"))
    with statements_about(till.crm, " ") as many:
        desk.preview("ann", *(line("tea", "1", "1.00") for _ in range(200)))

    reading = [sql for sql in many if "FROM" in sql]
    assert len([sql for sql in few if "FROM" in sql]) == len(reading) == 3
    assert not [sql for sql in many if sql.startswith(("INSERT", "UPDATE", "DELETE"))]
    assert "FOR UPDATE" not in "".join(many)
    assert till.entries("ann") == []


BAD_LINES = [
    [],
    [line("", "1", "1.00")],
    [line("tea", "one", "1.00"), line("tea", "1", "1.0000001")],
    [line("tea", "-1", "1.00")],
    [line("tea", "0", "1.00")],
    [line("tea", "1", "1.00", discount="-1")],
    [line("tea", "1", "1.00", originalPosition=1)],
    [line("tea", "1", "1.00", category="x" * 300)],
]


@pytest.mark.parametrize("lines", BAD_LINES)
def test_bad_lines_are_the_same_problems_as_when_they_are_recorded(
    till: Till, lines: list[dict[str, Any]]
) -> None:
    desk = Desk(till)
    row = {
        "source": "till", "externalId": "1", "occurredAt": NOON.isoformat(), "currency": "CNY",
        "customer": {"externalId": "ann"}, "lines": lines,
    }  # fmt: skip

    shown = desk.preview("ann", *lines)
    recorded = desk.ask(RECORD, rows=[row]).data["recordTransactions"]

    assert shown["code"] == "VALIDATION_FAILED"
    assert shown["problems"] == recorded["problems"] != []


def test_other_bad_values_are_problems_with_their_field(till: Till) -> None:
    shown = Desk(till).preview(
        "ann", line("tea", "1", "1.00"), currency="XYZ", occurredAt="yesterday"
    )

    assert [(each["code"], each["field"]) for each in shown["problems"]] == [
        ("UNKNOWN_CURRENCY", "currency"), ("INVALID_TIME", "occurredAt"),
    ]  # fmt: skip


@pytest.mark.parametrize("id_", ["txn_" + "0" * 32, "cus_" + "0" * 32])
def test_a_customer_who_is_not_there_is_a_problem(till: Till, id_: str) -> None:
    shown = Desk(till).preview("ann", line("tea", "1", "1.00"), customerId=id_)

    assert (shown["__typename"], shown["code"]) == ("RefusedProblem", "NOT_FOUND")


def test_who_may_not_see_points_may_not_see_previews(till: Till) -> None:
    given = {"customerId": f"cus_{till.ids['ann'].hex}", "currency": "CNY", "lines": []}

    answer = Desk(till).ask(PREVIEW, "customers.read", input=given)

    assert answer.data == {"pointsPreview": None}
    assert answer.errors[0]["extensions"]["code"] == "FORBIDDEN"
