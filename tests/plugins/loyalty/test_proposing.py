"""Adjustments above a limit: proposed by one person, decided by another, once."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from crmkit import IdempotencyMismatch, NotFound, ValidationFailed
from crmkit_loyalty.adjusting import approve
from crmkit_loyalty.adjusting_errors import AdjustmentDecided, OwnProposal
from crmkit_loyalty.adjusting_models import ProposalState, ProposedAdjustment
from crmkit_loyalty.errors import InsufficientPoints
from crmkit_loyalty.proposing import decide
from crmkit_loyalty.verifying import run as verify

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

APPROVER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID
from crmkit import Crm, Settings
from crmkit_loyalty.adjusting import approve
from crmkit_loyalty.adjusting_errors import AdjustmentDecided
from crmkit_loyalty.settings import LoyaltySettings

crm = Crm(Settings(database_url=sys.argv[1], plugins=("loyalty",)))

def decide(n):
    try:
        crm.write(lambda session: approve(
            session, UUID(sys.argv[2]), note=None, actor=f"{sys.argv[3]}{n}",
            now=crm.clock.now(), settings=LoyaltySettings(),
        ))
    except AdjustmentDecided:
        return 0
    return 1

with ThreadPoolExecutor(16) as pool:
    print("ready", flush=True)
    sys.stdin.readline()
    print(sum(pool.map(decide, range(16))))
"""


@pytest.fixture
def till(till_factory: TillFactory) -> Till:
    return till_factory(adjustment_approval_above=100)


def say_yes(till: Till, proposal: ProposedAdjustment, actor: str = "bob", **more: Any) -> None:
    values = {"note": None, "now": till.crm.clock.now(), "settings": till.settings, **more}
    till.crm.write(lambda session: approve(session, proposal.id, actor=actor, **values))


def say_no(till: Till, proposal: ProposedAdjustment, actor: str = "bob") -> None:
    till.crm.write(
        lambda session: decide(
            session, proposal.id, ProposalState.REJECTED, note="no", actor=actor,
            now=till.crm.clock.now(),
        )
    )  # fmt: skip


def stored(till: Till, proposal: ProposedAdjustment) -> ProposedAdjustment:
    with till.crm.read() as session:
        found = session.get_one(ProposedAdjustment, proposal.id)
        session.expunge(found)
        return found  # type: ignore[no-any-return]


def test_up_to_the_limit_points_move_at_once_and_above_it_they_wait(till: Till) -> None:
    given, taken = till.adjust("ann", 100), till.adjust("ann", -100)
    waiting = till.adjust("ann", 101)

    assert (given.points_delta, taken.points_delta) == (100, -100)
    assert isinstance(waiting, ProposedAdjustment)
    assert (waiting.state, waiting.points, waiting.proposed_by) == ("proposed", 101, "ann")
    assert (waiting.reason_code, waiting.reason) == ("goodwill", "late parcel")
    assert till.balance("ann") == 0


def test_the_approved_adjustment_names_both_persons(till: Till) -> None:
    proposal = till.adjust("ann", 500)

    say_yes(till, proposal)

    (entry,) = till.entries("ann")
    assert (entry.kind, entry.points_delta, entry.balance_after) == ("adjustment", 500, 500)
    assert (entry.actor, entry.reason_code, entry.reason) == ("ann", "goodwill", "late parcel")
    assert entry.explanation == {"version": 1, "requested": 500, "approved_by": "bob"}
    decided = stored(till, proposal)
    assert (decided.state, decided.decided_by) == ("approved", "bob")
    assert decided.decided_at == till.crm.clock.now()
    assert till.differences() == []
    assert verify(till.crm).is_good


def test_points_of_another_kind_wait_as_well(till_factory: TillFactory) -> None:
    till = till_factory(adjustment_approval_above=5, point_kinds={"stamps": {}})

    say_yes(till, till.adjust("ann", 6, point_kind="stamps"))

    (entry,) = till.entries("ann")
    assert (entry.point_kind, entry.points_delta) == ("stamps", 6)
    assert till.balance("ann") == 0


def test_nobody_approves_what_they_proposed(till: Till) -> None:
    proposal = till.adjust("ann", 500)

    with pytest.raises(OwnProposal) as refused:
        say_yes(till, proposal, "ann")

    assert refused.value.proposed_by == "ann"
    assert stored(till, proposal).state == "proposed"
    assert till.entries("ann") == []


def test_the_database_refuses_one_person_in_both_parts(till: Till) -> None:
    till.adjust("ann", 500)
    sql = "UPDATE loyalty_proposed_adjustment SET state = 'approved', decided_by = 'ann'"

    with pytest.raises(DBAPIError), till.crm.database.write() as session:
        session.execute(text(sql))


def test_whoever_proposed_may_take_it_back(till: Till) -> None:
    proposal = till.adjust("ann", 500)

    say_no(till, proposal, "ann")

    assert (stored(till, proposal).state, stored(till, proposal).decision_note) == (
        "rejected",
        "no",
    )
    with pytest.raises(AdjustmentDecided) as refused:
        say_yes(till, proposal)
    assert (refused.value.state, refused.value.decided_by) == (ProposalState.REJECTED, "ann")
    assert till.entries("ann") == []


def test_approving_again_changes_nothing_and_somebody_else_is_told(till: Till) -> None:
    proposal = till.adjust("ann", 500)
    say_yes(till, proposal)

    say_yes(till, proposal)
    for other in (say_yes, say_no):
        with pytest.raises(AdjustmentDecided):
            other(till, proposal, "cleo")

    assert till.deltas("ann") == [("adjustment", 500)]


def test_a_key_gives_its_proposal_for_ever(till: Till) -> None:
    first, other = till.adjust("ann", 500, "k"), till.adjust("ann", 600, "other")
    assert till.adjust("ann", 500, "k", actor="bob").model_dump() == first.model_dump()

    say_yes(till, first)
    say_no(till, other)

    unlimited = till.settings.model_copy(update={"adjustment_approval_above": None})
    assert till.adjust("ann", 500, "k").id == first.id
    assert till.adjust("ann", 500, "k", settings=unlimited).id == first.id
    assert till.adjust("ann", 600, "other").state == "rejected"
    assert till.balance("ann") == 500


@pytest.mark.parametrize(("first", "second"), [(500, 501), (500, 5), (5, 500)])
def test_a_key_of_a_proposal_is_refused_for_another_request(
    till: Till, first: int, second: int
) -> None:
    till.adjust("ann", first, "k")

    with pytest.raises(IdempotencyMismatch):
        till.adjust("ann", second, "k")


def test_more_than_there_is_cannot_be_proposed_and_the_key_stays_free(till: Till) -> None:
    till.adjust("ann", 100)
    with pytest.raises(InsufficientPoints):
        till.adjust("ann", -101, "k")
    till.adjust("ann", 1)

    assert till.adjust("ann", -101, "k").state == "proposed"


def test_approval_looks_at_the_balance_again_and_may_be_tried_again(till: Till) -> None:
    till.adjust("ann", 100)
    till.adjust("ann", 50)
    proposal = till.adjust("ann", -120)
    till.adjust("ann", -60)

    with pytest.raises(InsufficientPoints) as refused:
        say_yes(till, proposal)

    assert (refused.value.available, refused.value.requested) == (90, 120)
    assert stored(till, proposal).state == "proposed"
    till.adjust("ann", 40)
    say_yes(till, proposal)
    assert till.account("ann") == (10, 0)
    assert till.differences() == []


def test_what_nobody_proposed_cannot_be_decided(till: Till) -> None:
    missing = till.adjust("ann", 500)
    missing.id = UUID(int=7)

    for say in (say_yes, say_no):
        with pytest.raises(NotFound):
            say(till, missing)


def test_a_note_has_a_greatest_length(till: Till) -> None:
    proposal = till.adjust("ann", 500)

    with pytest.raises(ValidationFailed):
        say_yes(till, proposal, note="x" * 201)


def test_of_many_who_approve_at_once_one_does(till: Till) -> None:
    proposal = till.adjust("ann", 500)

    def try_it(number: int) -> bool:
        try:
            say_yes(till, proposal, f"manager {number}")
        except AdjustmentDecided:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        done = list(pool.map(try_it, range(16)))

    assert done.count(True) == 1
    assert till.deltas("ann") == [("adjustment", 500)]
    assert till.differences() == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_of_many_in_two_processes_who_approve_at_once_one_does(till: Till) -> None:
    proposal = till.adjust("ann", 500)
    address = (till.crm.settings.url, str(proposal.id))

    approvers = [
        subprocess.Popen(
            [sys.executable, "-c", APPROVER, *address, name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in "xy"
    ]  # fmt: skip
    for each in approvers:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in approvers:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    done = [int(each.communicate(timeout=120)[0]) for each in approvers]

    assert sum(done) == 1
    assert till.deltas("ann") == [("adjustment", 500)]
    assert till.differences() == []
