"""Earning rules set through GraphQL: versions that are valid from a time on."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest

from crmkit import Actor, CustomerInput, InteractionInput
from crmkit.inputs import CustomerRef
from crmkit.testing import NOON
from crmkit_loyalty.earning_errors import WrongEarningRules
from crmkit_loyalty.earning_reading import read_rules
from crmkit_loyalty.settings import LoyaltySettings
from crmkit_schema.requests import GraphQLRequest
from crmkit_schema.runtime import ComposedSchema
from earning_checker import points_from

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

SET = """
mutation ($input: SetEarningRulesInput!) {
  setEarningRules(input: $input) {
    __typename
    ... on SetEarningRulesSuccess { version { id version rules validFrom recordedAt actor } }
    ... on EarningRulesProblem { code message mistakes { position rule field value message } }
    ... on ValidationProblem { problems { code field value } }
    ... on RefusedProblem { code }
  }
}
"""
VALID = """
query ($at: DateTime) {
  earningRules(at: $at) { rules version setBy { validFrom actor } }
}
"""
VERSIONS = """
{ earningRulesVersions(first: 2) {
  totalCount nodes { id version validFrom actor } pageInfo { hasNextPage }
} }
"""
BASE: dict[str, Any] = {"name": "base", "kind": "per_amount", "points": 1}
TWO: dict[str, Any] = {"name": "two", "kind": "per_amount", "points": 2}
REVIEW: dict[str, Any] = {
    "name": "reviews", "kind": "interaction", "points": 20, "interaction_kinds": ["review"],
}  # fmt: skip
JULY, AUGUST = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC)


class Office:
    """Sets rules and asks for them."""

    def __init__(self, till: Till) -> None:
        self.till = till
        self._schema = ComposedSchema(till.crm)

    def ask(self, query: str, role: str = "manager", **variables: Any) -> Any:
        actor = Actor("ann's desk", role, self.till.crm.roles[role])
        return self._schema.execute(GraphQLRequest(query, variables), actor)

    def set(self, *rules: Any, key: str = "k", **more: Any) -> Any:
        given = {"rules": list(rules), "idempotencyKey": key}
        for name, value in more.items():
            given[name] = value.isoformat() if isinstance(value, datetime) else value
        answer = self.ask(SET, input=given)
        assert not answer.errors, answer.errors
        return answer.data["setEarningRules"]

    def valid(self, at: datetime | None = None) -> Any:
        answer = self.ask(VALID, at=at and at.isoformat())
        assert not answer.errors, answer.errors
        return answer.data["earningRules"]


def given(till: Till, who: str) -> list[tuple[str, int]]:
    return [(entry.rule, entry.points_delta) for entry in till.entries(who)]


def sell(till: Till, who: str, at: datetime, amount: str = "30.00") -> None:
    till.sell(who, ("tea", "1", amount), occurred_at=at.isoformat())


def test_a_sale_earns_by_the_rules_of_its_own_time_also_if_it_comes_in_late(
    till_factory: TillFactory,
) -> None:
    till = till_factory(rules=[BASE])
    office = Office(till)
    office.set(TWO, validFrom=JULY)
    office.set({**TWO, "points": 3}, validFrom=AUGUST, key="k2")
    till.crm.clock.advance(timedelta(days=60))  # mid of August

    moments = [AUGUST, JULY, JULY - timedelta(microseconds=1), AUGUST - timedelta(microseconds=1)]
    for at in moments:
        sell(till, "ann", at)
    till.record(
        *(
            till.document("sale", "bob", [("tea", "1", "30.00")], occurred_at=at.isoformat())
            for at in moments
        )
    )

    expected = [("two", 90), ("two", 60), ("base", 30), ("two", 60)]
    assert given(till, "ann") == given(till, "bob") == expected
    assert [points_from(entry.explanation) for entry in till.entries("ann")] == [90, 60, 30, 60]
    versions = {
        LoyaltySettings.model_validate({"rules": [rule]}).rule_set.version
        for rule in (BASE, TWO, {**TWO, "points": 3})
    }
    assert {entry.explanation["rules_version"] for entry in till.entries("ann")} == versions
    assert till.differences() == []


def test_who_set_what_when_is_kept_and_listed(till_factory: TillFactory) -> None:
    till = till_factory(rules=[BASE])
    office = Office(till)

    done = office.set(TWO, validFrom=JULY)
    office.set(BASE, validFrom=AUGUST, key="k2")
    office.set(validFrom=AUGUST + timedelta(1), key="k3")

    version = done["version"]
    assert version["rules"] == [{"name": "two", "kind": "per_amount", "points": "2"}]
    assert (version["validFrom"], version["recordedAt"], version["actor"]) == (
        "2026-07-01T00:00:00Z", "2026-06-15T04:00:00Z", "ann's desk",
    )  # fmt: skip
    listed = office.ask(VERSIONS).data["earningRulesVersions"]
    assert [each["validFrom"][:10] for each in listed["nodes"]] == ["2026-08-02", "2026-08-01"]
    assert (listed["totalCount"], listed["pageInfo"]["hasNextPage"]) == (3, True)


def test_the_rules_of_a_time_can_be_asked_for(till_factory: TillFactory) -> None:
    till = till_factory(rules=[BASE])
    office = Office(till)
    own = office.valid()
    assert own["rules"] == [{"name": "base", "kind": "per_amount", "points": "1"}]
    assert own["setBy"] is None

    version = office.set(TWO, validFrom=JULY)["version"]

    assert office.valid() == office.valid(JULY - timedelta(microseconds=1)) == own
    later = office.valid(JULY)
    assert (later["rules"], later["version"]) == (version["rules"], version["version"])
    assert later["setBy"] == {"validFrom": "2026-07-01T00:00:00Z", "actor": "ann's desk"}


def test_rules_may_begin_at_once_and_end_by_an_empty_list(till_factory: TillFactory) -> None:
    till = till_factory(rules=[BASE], points_per_major_unit=5)
    office = Office(till)

    office.set(TWO)
    sell(till, "ann", NOON)
    till.crm.clock.advance(timedelta(hours=1))
    office.set(key="k2")
    sell(till, "ann", NOON + timedelta(hours=1))
    sell(till, "ann", NOON + timedelta(minutes=59))

    assert given(till, "ann") == [("two", 60), ("per_amount", 150), ("two", 60)]


def test_of_versions_that_begin_at_once_the_last_one_set_is_valid(
    till_factory: TillFactory,
) -> None:
    till = till_factory(rules=[BASE])
    office = Office(till)

    for number in range(5):
        office.set({**TWO, "points": number + 1}, validFrom=JULY, key=f"k{number}")
    sell(till, "ann", JULY)

    assert given(till, "ann") == [("two", 150)]
    assert office.valid(JULY)["rules"][0]["points"] == "5"


def test_the_same_key_and_request_give_the_same_answer_for_ever(
    till_factory: TillFactory,
) -> None:
    till = till_factory(rules=[BASE])
    office = Office(till)
    first = office.set(TWO, validFrom=JULY)

    till.crm.clock.advance(timedelta(days=90))  # it lies in the past by now

    assert office.set(TWO, validFrom=JULY) == first
    assert office.set(BASE, validFrom=JULY)["code"] == "IDEMPOTENCY_MISMATCH"
    assert office.set(TWO)["code"] == "IDEMPOTENCY_MISMATCH"
    assert office.ask(VERSIONS).data["earningRulesVersions"]["totalCount"] == 1


def test_the_same_request_at_once_makes_one_version(till_factory: TillFactory) -> None:
    office = Office(till_factory(rules=[BASE]))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: office.set(TWO, validFrom=JULY), range(8)))

    assert all(each == answers[0] for each in answers)
    assert office.ask(VERSIONS).data["earningRulesVersions"]["totalCount"] == 1


def test_rules_cannot_begin_in_the_past(till_factory: TillFactory) -> None:
    office = Office(till_factory(rules=[BASE]))

    answer = office.set(TWO, validFrom=NOON - timedelta(microseconds=1))

    assert [(each["code"], each["field"]) for each in answer["problems"]] == [
        ("OUT_OF_RANGE", "validFrom")
    ]
    assert office.set(TWO, validFrom=NOON)["__typename"] == "SetEarningRulesSuccess"


def test_a_wrong_time_and_an_empty_key_are_problems(till_factory: TillFactory) -> None:
    answer = Office(till_factory()).set(TWO, validFrom="July", key=" ")

    assert [(each["code"], each["field"]) for each in answer["problems"]] == [
        ("REQUIRED", "idempotencyKey"), ("INVALID_TIME", "validFrom"),
    ]  # fmt: skip


MISTAKES: list[tuple[list[Any], list[tuple[Any, ...]]]] = [
    ([BASE, {**TWO, "points": -1}], [(1, "two", "points", "-1")]),
    ([BASE, BASE], [(1, "base", "name", "base")]),
    ([BASE, {**TWO, "every": 2, "kind": "per_visit"}], [(1, "two", "every", "2")]),
    ([{**BASE, "mile": 1, "from_on": "soon"}], [(0, "base", "from_on", "soon"),
                                                 (0, "base", "mile", "1")]),
    ([{"name": "x", "kind": "per_amount"}], [(0, "x", "points", None)]),
    ([{"kind": "per_amount", "points": 1}], [(0, None, "name", None)]),
    ([BASE, {"name": "m", "kind": "multiplier", "factor": 2, "of": ["no"]}],
     [(1, "m", "of", "no")]),
    ([{**BASE, "group": "g"}, {**TWO, "group": "g", "stores": ["n"]}], [(1, "two", "group", "g")]),
    ([{**BASE, "point_kind": "stamps"}], [(0, "base", "point_kind", "stamps")]),
    ([{**REVIEW, "interaction_kinds": ["revue"]}], [(0, "reviews", "interaction_kinds", "revue")]),
    ([{**REVIEW, "stores": ["north"]}], [(0, "reviews", "stores", "['north']")]),
    (["base"], [(0, None, "", "base")]),
    ([{**BASE, "name": f"r{n}"} for n in range(201)], [(None, None, "", None)]),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "mistakes"), MISTAKES)
def test_every_mistake_is_told_by_rule_field_and_value(
    rules: list[Any], mistakes: list[tuple[Any, ...]]
) -> None:
    with pytest.raises(WrongEarningRules) as caught:
        read_rules(rules, LoyaltySettings(), {"review", "call"})

    assert [tuple(each[:4]) for each in caught.value.mistakes] == mistakes
    assert all(each.message for each in caught.value.mistakes)


def test_rules_that_make_no_sense_are_typed_problems(till_factory: TillFactory) -> None:
    office = Office(till_factory())
    of_each = {"every": 2, "kind": "per_visit"}

    answers = [office.set(*rules) for rules in ([BASE, BASE], [BASE, {**TWO, **of_each}])]

    assert answers[0] == {
        "__typename": "EarningRulesProblem",
        "code": "WRONG_EARNING_RULES",
        "message": "rules.1 (base).name: the name stands twice",
        "mistakes": [
            {"position": 1, "rule": "base", "field": "name", "value": "base",
             "message": "the name stands twice"}
        ],
    }  # fmt: skip
    (mistake,) = answers[1]["mistakes"]
    assert (mistake["rule"], mistake["field"], mistake["value"]) == ("two", "every", "2")
    assert office.ask(VERSIONS).data["earningRulesVersions"]["totalCount"] == 0


def test_kinds_of_interaction_and_of_points_must_be_known(till_factory: TillFactory) -> None:
    office = Office(till_factory(point_kinds={"stamps": {}}))

    answer = office.set({**REVIEW, "interaction_kinds": ["revue"], "point_kind": "stamps"})

    assert answer["mistakes"][0]["message"].startswith("nobody registers 'revue'; there are: call")
    assert office.set({**REVIEW, "point_kind": "stamps"})["__typename"] == "SetEarningRulesSuccess"


def test_a_refused_request_leaves_its_key_free(till_factory: TillFactory) -> None:
    office = Office(till_factory())

    office.set({**TWO, "points": 0})

    assert office.set(TWO)["__typename"] == "SetEarningRulesSuccess"


@pytest.mark.parametrize("role", ["clerk", "analyst"])
def test_who_may_see_points_may_see_rules_and_not_set_them(
    till_factory: TillFactory, role: str
) -> None:
    office = Office(till_factory(rules=[BASE]))

    refused = office.ask(SET, role, input={"rules": [], "idempotencyKey": "k"})

    assert refused.errors[0]["extensions"]["code"] == "FORBIDDEN"
    assert not office.ask(VALID, role).errors
    assert not office.ask(VERSIONS, role).errors


def test_sign_ups_birthdays_and_interactions_follow_the_rules_of_their_time(
    till_factory: TillFactory,
) -> None:
    till = till_factory()
    till.crm.upsert_customers([CustomerInput("till", "ann", birth_on="1990-07-01")])
    till.crm.upsert_customers([CustomerInput("till", "bob", birth_on="1990-06-30")])
    birthday = {"name": "birthday", "kind": "birthday", "points": 50}
    welcome = {"name": "welcome", "kind": "sign_up", "points": 100}
    Office(till).set(REVIEW, birthday, welcome, validFrom=JULY)

    def review(name: str, at: datetime) -> InteractionInput:
        return InteractionInput("till", name, at, "review", CustomerRef(external_id="ann"))

    till.enrol("eve")
    till.crm.clock.advance(JULY - NOON)
    till.enrol("zoe")
    assert till.crm.run_job("loyalty.birthdays") == 2
    till.crm.record_interactions([
        review("1", JULY), review("2", JULY - timedelta(seconds=1))
    ])  # fmt: skip

    assert given(till, "ann") == [("birthday", 50), ("reviews", 20)]
    assert given(till, "zoe") == [("welcome", 100)]
    assert given(till, "bob") == given(till, "eve") == []


def test_a_return_without_a_named_sale_takes_by_the_rules_of_its_time(
    till_factory: TillFactory,
) -> None:
    till = till_factory(rules=[BASE])
    Office(till).set(TWO, validFrom=JULY)
    sell(till, "ann", NOON, "90.00")

    for at in (NOON, JULY):
        till.take_back("ann", None, ("tea", "-1", "10.00"), occurred_at=at.isoformat())

    assert [points for _, points in till.deltas("ann")] == [90, -10, -20]


def test_a_kind_of_points_that_the_settings_lost_is_given_no_more(
    till_factory: TillFactory,
) -> None:
    till = till_factory(point_kinds={"stamps": {}})
    stamps = {**TWO, "name": "stamps", "point_kind": "stamps"}
    Office(till).set(TWO, stamps)
    sell(till, "ann", NOON)
    till.crm.close()
    later = till_factory()

    later.sell("ann", ("tea", "1", "10.00"), external_id="later")

    assert given(later, "ann") == [("two", 60), ("stamps", 60), ("two", 20)]


def test_a_preview_shows_what_the_rules_of_its_time_give(till_factory: TillFactory) -> None:
    till = till_factory(rules=[BASE])
    office = Office(till)
    office.set(TWO, validFrom=JULY)
    query = """query ($input: PointsPreviewInput!) { pointsPreview(input: $input) {
      ... on PointsPreview { entries { rule points } } } }"""

    def shown(at: datetime) -> Any:
        basket = [{"sku": "tea", "quantity": "1", "unitPrice": "30"}]
        given = {"customerId": f"cus_{till.ids['ann'].hex}", "currency": "CNY", "lines": basket}
        answer = office.ask(query, input={**given, "occurredAt": at.isoformat()})
        (entry,) = answer.data["pointsPreview"]["entries"]
        return entry

    assert shown(NOON) == {"rule": "base", "points": 30}
    assert shown(JULY) == {"rule": "two", "points": 60}


@pytest.mark.parametrize("options", [{}, {"rules": [BASE]}], ids=["no rules", "rules"])
def test_rules_that_may_be_set_cost_a_sale_no_statement_until_some_are(
    till_factory: TillFactory, statements_about: Any, options: Mapping[str, Any]
) -> None:
    till = till_factory(**options)
    office = Office(till)
    sell(till, "ann", NOON)

    def taken() -> list[str]:
        with statements_about(till.crm, "loyalty_") as found:
            sell(till, "ann", NOON)
        return list(found)

    before = taken()
    assert not [sql for sql in before if sql.lstrip().startswith("SELECT") and "valid_from" in sql]
    office.set(TWO, validFrom=AUGUST)
    assert len(taken()) == len(before) + 1


def test_a_batch_reads_the_rules_once_however_many_were_set(
    till_factory: TillFactory, statements_about: Any
) -> None:
    till = till_factory(rules=[BASE])
    office = Office(till)

    def taken(size: int) -> int:
        at = [NOON + timedelta(days=n % 60) for n in range(size)]
        sales = [
            till.document("sale", "ann", [("tea", "1", "1.00")], occurred_at=each.isoformat())
            for each in at
        ]
        with statements_about(till.crm, "valid_from") as found:
            till.record(*sales)
        return len(found)

    office.set(TWO, validFrom=JULY, key="first")
    assert taken(30) == 1
    for number in range(10):
        begin = JULY + timedelta(days=number)
        office.set({**TWO, "points": number + 1}, validFrom=begin, key=f"k{number}")
    assert taken(90) == 1
