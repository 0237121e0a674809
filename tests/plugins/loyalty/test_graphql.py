from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from crmkit import Actor, CustomerRef, InteractionInput
from crmkit.testing import NOON
from crmkit_schema.requests import GraphQLRequest
from crmkit_schema.runtime import ComposedSchema

Till: TypeAlias = Any
TillFactory: TypeAlias = Any
Ask = Callable[..., Any]

ACCOUNT = """
query ($id: ID!) {
  customer(id: $id) {
    loyalty {
      balance debt pointsEarned
      entries(first: 2) {
        totalCount
        pageInfo { hasNextPage }
        nodes {
          kind pointsDelta balanceAfter rule explanation reason actor
          transaction { externalId } reverses { kind pointsDelta }
        }
      }
    }
  }
}
"""
ADJUST = """
mutation ($input: AdjustPointsInput!) {
  adjustPoints(input: $input) {
    __typename
    ... on AdjustPointsSuccess { entry { id pointsDelta balanceAfter reasonCode reason actor } }
    ... on InsufficientPointsProblem { code available requested }
    ... on UnknownReasonCodeProblem { code reasonCode known }
    ... on ValidationProblem { problems { field code } }
    ... on RefusedProblem { code }
  }
}
"""


def asking(till: Till) -> Ask:
    """Return a function that runs an operation as an administrator, or with chosen permissions."""
    schema = ComposedSchema(till.crm)

    def run(query: str, *permissions: str, **variables: Any) -> Any:
        allowed = frozenset(permissions) or till.crm.roles["admin"]
        actor = Actor("ann's terminal", "admin", allowed)
        return schema.execute(GraphQLRequest(query, variables), actor)

    return run


@pytest.fixture
def ask(till: Till) -> Ask:
    """Give that function for a shop with the programme's defaults."""
    return asking(till)


def adjust(ask: Ask, till: Till, points: int, key: str = "k", **more: Any) -> Any:
    given = {"customerId": f"cus_{till.ids['ann'].hex}", "points": points, "reasonCode": "goodwill",
             "reason": "late parcel"}  # fmt: skip
    answer = ask(ADJUST, input={**given, "idempotencyKey": key, **more})
    assert not answer.errors, answer.errors
    return answer.data["adjustPoints"]


def test_a_customer_has_points_and_entries(till: Till, ask: Ask) -> None:
    sale = till.sell("ann", ("tea", "2", "30.00"))
    back = till.take_back(None, sale, ("tea", "-1", "30.00"))
    till.adjust("ann", 5)

    answer = ask(ACCOUNT, id=f"cus_{till.ids['ann'].hex}")

    loyalty = answer.data["customer"]["loyalty"]
    assert (loyalty["balance"], loyalty["debt"], loyalty["pointsEarned"]) == (35, 0, 60)
    assert loyalty["entries"]["totalCount"] == 3
    assert loyalty["entries"]["pageInfo"] == {"hasNextPage": True}
    adjusted, reversed_ = loyalty["entries"]["nodes"]
    assert (adjusted["kind"], adjusted["actor"], adjusted["transaction"]) == (
        "ADJUSTMENT", "ann", None,
    )  # fmt: skip
    assert reversed_["transaction"] == {"externalId": back}
    assert reversed_["reverses"] == {"kind": "ACCRUAL", "pointsDelta": 60}
    assert reversed_["explanation"]["share"] == "1/2"


def test_an_entry_leads_to_the_interaction_that_caused_it(till_factory: TillFactory) -> None:
    rule = {"name": "r", "kind": "interaction", "points": 5, "interaction_kinds": ["review"]}
    till = till_factory(rules=[rule])
    review = InteractionInput("till", "7", NOON, "review", CustomerRef(external_id="ann"))
    till.crm.record_interactions([review])

    answer = asking(till)(
        "{ customers(filter: {loyalty: {balance: {gte: 1}}}) { nodes { loyalty { entries { nodes {"
        " transaction { id } interaction { externalId kind } } } } } } }"
    )

    (customer,) = answer.data["customers"]["nodes"]
    assert customer["loyalty"]["entries"]["nodes"] == [
        {"transaction": None, "interaction": {"externalId": "7", "kind": "review"}}
    ]


def test_a_customer_without_points_has_an_empty_account(till: Till, ask: Ask) -> None:
    answer = ask(ACCOUNT, id=f"cus_{till.ids['bob'].hex}")

    loyalty = answer.data["customer"]["loyalty"]
    assert (loyalty["balance"], loyalty["entries"]["nodes"]) == (0, [])


def test_points_are_adjusted_once_per_key(till: Till, ask: Ask) -> None:
    first = adjust(ask, till, 30)
    till.adjust("ann", -10)

    assert adjust(ask, till, 30) == first
    assert first["entry"]["balanceAfter"] == 30
    assert first["entry"]["actor"] == "ann's terminal"
    assert till.balance("ann") == 20


def test_too_few_points_are_a_typed_problem(till: Till, ask: Ask) -> None:
    assert adjust(ask, till, -1) == {
        "__typename": "InsufficientPointsProblem",
        "code": "INSUFFICIENT_POINTS",
        "available": 0,
        "requested": 1,
    }


def test_a_reason_code_that_is_not_configured_is_a_typed_problem(till: Till, ask: Ask) -> None:
    assert adjust(ask, till, 5, reasonCode="mood") == {
        "__typename": "UnknownReasonCodeProblem",
        "code": "UNKNOWN_REASON_CODE",
        "reasonCode": "mood",
        "known": ["goodwill", "correction", "fraud", "opening_balance"],
    }


def test_entries_can_be_found_by_their_reason_code(till: Till, ask: Ask) -> None:
    till.adjust("ann", 5)
    till.adjust("ann", 7, reason_code="correction")

    answer = ask(
        """query ($id: ID!) { customer(id: $id) { loyalty {
            entries(filter: {reasonCode: {eq: "correction"}}) { nodes { pointsDelta reasonCode } }
        } } }""",
        id=f"cus_{till.ids['ann'].hex}",
    )

    found = answer.data["customer"]["loyalty"]["entries"]["nodes"]
    assert found == [{"pointsDelta": 7, "reasonCode": "correction"}]


def test_another_request_with_a_key_is_a_problem(till: Till, ask: Ask) -> None:
    adjust(ask, till, 30)

    answer = adjust(ask, till, 31)

    assert answer == {"__typename": "RefusedProblem", "code": "IDEMPOTENCY_MISMATCH"}


def test_bad_input_is_a_problem_with_its_field(till: Till, ask: Ask) -> None:
    answer = adjust(ask, till, 0, key="", reasonCode="", reason=" ")

    assert [(each["field"], each["code"]) for each in answer["problems"]] == [
        ("points", "OUT_OF_RANGE"),
        ("reasonCode", "REQUIRED"),
        ("reason", "REQUIRED"),
        ("idempotencyKey", "REQUIRED"),
    ]


@pytest.mark.parametrize("id_", ["txn_" + "0" * 32, "cus_" + "0" * 32])
def test_an_id_that_is_no_customers_is_a_problem(till: Till, ask: Ask, id_: str) -> None:
    answer = adjust(ask, till, 5, customerId=id_)

    assert answer == {"__typename": "RefusedProblem", "code": "NOT_FOUND"}


def test_who_may_read_may_not_adjust(till: Till, ask: Ask) -> None:
    given = {
        "customerId": f"cus_{till.ids['ann'].hex}",
        "points": 5,
        "reasonCode": "goodwill",
        "reason": "x",
    }

    answer = ask(ADJUST, "loyalty.read", "customers.read", input={**given, "idempotencyKey": "k"})

    assert answer.errors[0]["extensions"]["code"] == "FORBIDDEN"
    assert till.entries("ann") == []


def test_points_are_hidden_from_who_may_only_see_customers(till: Till, ask: Ask) -> None:
    answer = ask(ACCOUNT, "customers.read", id=f"cus_{till.ids['ann'].hex}")

    assert answer.data["customer"]["loyalty"] is None
    assert answer.errors[0]["extensions"]["code"] == "FORBIDDEN"


def test_customers_can_be_listed_by_their_points(till: Till, ask: Ask) -> None:
    till.adjust("ann", 30)

    answer = ask(
        "{ customers(filter: {loyalty: {balance: {gte: 30}}}) { nodes { loyalty { balance } } } }"
    )

    assert answer.data["customers"]["nodes"] == [{"loyalty": {"balance": 30}}]
