from datetime import timedelta
from typing import Any, TypeAlias

import pytest

from crmkit import Actor
from crmkit_schema.requests import GraphQLRequest
from crmkit_schema.runtime import ComposedSchema

TillFactory: TypeAlias = Any

RUN = """mutation ($name: String!) { runJob(input: {name: $name}) {
  __typename
  ... on RunJobSuccess { name doneCount }
  ... on UnknownJobProblem { code message known }
} }"""


class Desk:
    """Asks as a member of staff."""

    def __init__(self, till: Any) -> None:
        self.till, self._schema = till, ComposedSchema(till.crm)

    def ask(self, name: str, role: str = "manager") -> Any:
        actor = Actor("test", role, self.till.crm.roles[role])
        return self._schema.execute(GraphQLRequest(RUN, {"name": name}), actor)


@pytest.fixture
def desk(till_factory: TillFactory) -> Desk:
    till = till_factory(lifetime_months=12)
    till.sell("ann", ("tea", "1", "30.00"))
    till.crm.clock.advance(timedelta(days=400))
    return Desk(till)


def test_a_manager_runs_a_job_through_the_api(desk: Desk) -> None:
    answers = [desk.ask("loyalty.expiry").data["runJob"] for _ in range(2)]

    success = {"__typename": "RunJobSuccess", "name": "loyalty.expiry"}
    assert answers == [{**success, "doneCount": 1}, {**success, "doneCount": 0}]
    assert desk.till.deltas("ann") == [("accrual", 30), ("expiry", -30)]


def test_an_unknown_job_is_a_problem_that_names_those_there_are(desk: Desk) -> None:
    assert desk.ask("loyalty.dust").data["runJob"] == {
        "__typename": "UnknownJobProblem",
        "code": "UNKNOWN_JOB",
        "message": "there is no job named 'loyalty.dust'; "
        "there are: loyalty.expiry, loyalty.holds, loyalty.birthdays",
        "known": ["loyalty.expiry", "loyalty.holds", "loyalty.birthdays"],
    }


def test_a_clerk_may_not_run_jobs(desk: Desk) -> None:
    answer = desk.ask("loyalty.expiry", "clerk")

    assert answer.errors[0]["extensions"]["permission"] == "jobs.run"
    assert desk.till.deltas("ann") == [("accrual", 30)]
