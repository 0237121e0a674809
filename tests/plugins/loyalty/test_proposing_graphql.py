from typing import Any, TypeAlias

import pytest

from crmkit import Actor
from crmkit_schema.requests import GraphQLRequest
from crmkit_schema.runtime import ComposedSchema

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

ADJUST = """
mutation ($input: AdjustPointsInput!) {
  adjustPoints(input: $input) {
    __typename
    ... on AdjustPointsSuccess { entry { pointsDelta } }
    ... on AdjustPointsProposed { proposal { id state points proposedBy customer { id } } }
    ... on RefusedProblem { code }
  }
}
"""
DECIDE = """
mutation ($input: DecideAdjustmentInput!) {
  decision: %s(input: $input) {
    __typename
    ... on DecideAdjustmentSuccess {
      proposal { state decidedBy decisionNote entry { pointsDelta actor explanation } }
    }
    ... on Problem { code }
    ... on AdjustmentDecidedProblem { state decidedBy }
    %s
  }
}
"""
APPROVE = DECIDE % ("approveAdjustment", "... on OwnProposalProblem { proposedBy }")
REJECT = DECIDE % ("rejectAdjustment", "")
OPEN = """
{ proposedAdjustments(filter: {state: {eq: PROPOSED}}) {
    totalCount nodes { points reasonCode reason entry { id } }
} }
"""


@pytest.fixture
def till(till_factory: TillFactory) -> Till:
    return till_factory(adjustment_approval_above=100)


def ask(till: Till, query: str, who: str, role: str = "manager", **variables: Any) -> Any:
    actor = Actor(who, role, till.crm.roles[role])
    return ComposedSchema(till.crm).execute(GraphQLRequest(query, variables), actor)


def propose(till: Till, points: int = 500) -> Any:
    given = {
        "customerId": f"cus_{till.ids['ann'].hex}", "points": points, "reasonCode": "goodwill",
        "reason": "late parcel", "idempotencyKey": f"k{points}",
    }  # fmt: skip
    answer = ask(till, ADJUST, "ann", input=given)
    assert not answer.errors, answer.errors
    return answer.data["adjustPoints"]


def decide(till: Till, query: str, id_: str, who: str, **more: Any) -> Any:
    answer = ask(till, query, who, input={"id": id_, **more})
    assert not answer.errors, answer.errors
    return answer.data["decision"]


def test_above_the_limit_the_answer_is_a_proposal_that_another_approves(till: Till) -> None:
    proposed = propose(till)
    id_ = proposed["proposal"].pop("id")

    assert proposed == {
        "__typename": "AdjustPointsProposed",
        "proposal": {
            "state": "PROPOSED", "points": 500, "proposedBy": "ann",
            "customer": {"id": f"cus_{till.ids['ann'].hex}"},
        },
    }  # fmt: skip
    assert decide(till, APPROVE, id_, "bob", note="fair")["proposal"] == {
        "state": "APPROVED", "decidedBy": "bob", "decisionNote": "fair",
        "entry": {
            "pointsDelta": 500, "actor": "ann",
            "explanation": {"version": 1, "requested": 500, "approved_by": "bob"},
        },
    }  # fmt: skip
    assert propose(till)["proposal"]["state"] == "APPROVED"
    assert till.balance("ann") == 500


def test_up_to_the_limit_the_answer_is_an_entry(till: Till) -> None:
    assert propose(till, 100)["entry"] == {"pointsDelta": 100}


def test_what_waits_can_be_listed(till: Till) -> None:
    rejected, _ = propose(till, 500), propose(till, 600)
    decide(till, REJECT, rejected["proposal"]["id"], "bob")

    answer = ask(till, OPEN, "bob")

    assert not answer.errors, answer.errors
    assert answer.data["proposedAdjustments"] == {
        "totalCount": 1,
        "nodes": [
            {"points": 600, "reasonCode": "goodwill", "reason": "late parcel", "entry": None}
        ],
    }


def test_what_cannot_be_decided_is_a_typed_problem(till: Till) -> None:
    id_ = propose(till)["proposal"]["id"]
    assert decide(till, APPROVE, id_, "ann") == {
        "__typename": "OwnProposalProblem", "code": "OWN_PROPOSAL", "proposedBy": "ann",
    }  # fmt: skip

    assert decide(till, REJECT, id_, "bob")["proposal"]["entry"] is None

    assert decide(till, APPROVE, id_, "cleo") == {
        "__typename": "AdjustmentDecidedProblem", "code": "ADJUSTMENT_DECIDED",
        "state": "REJECTED", "decidedBy": "bob",
    }  # fmt: skip
    assert decide(till, APPROVE, "adj_" + "0" * 32, "bob")["code"] == "NOT_FOUND"
    assert decide(till, APPROVE, id_.replace("adj", "pts"), "bob")["code"] == "NOT_FOUND"


def test_a_clerk_may_neither_propose_nor_decide(till: Till) -> None:
    id_ = propose(till)["proposal"]["id"]

    for query in (APPROVE, REJECT):
        answer = ask(till, query, "cleo", "clerk", input={"id": id_})
        assert answer.errors[0]["extensions"]["code"] == "FORBIDDEN"
