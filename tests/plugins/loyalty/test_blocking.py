"""Points that nobody may spend: blocks, their ends, and what goes on meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from sqlalchemy import text

from crmkit import IdempotencyMismatch, NotFound, ValidationFailed
from crmkit_loyalty.blocking import set_block
from crmkit_loyalty.blocking_errors import AlreadyBlocked, NotBlocked
from crmkit_loyalty.errors import AccountBlocked
from crmkit_loyalty.verifying import run as verify

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

BLOCKS = """
query ($id: ID!) { customer(id: $id) { loyalty {
  block { reason blockedBy }
  blocks(first: 5) { nodes { reason blockedBy liftReason liftedBy } }
} } }
"""
SET = """
mutation ($input: BlockPointsInput!) { answer: %s(input: $input) {
  __typename
  ... on BlockPointsSuccess { block { reason blockedBy liftedBy } }
  ... on Problem { code }
} }
"""


@pytest.fixture
def till(till_factory: TillFactory) -> Till:
    return till_factory(redemption={"value": "0.01"})


def change(till: Till, who: str, key: str, *, blocks: bool, **more: Any) -> UUID:
    values = {"reason": "card stolen", "actor": "bob", "now": till.crm.clock.now(), **more}
    done: UUID = till.crm.write(
        lambda session: set_block(session, till.ids[who], blocks=blocks, key=key, **values)
    )
    return done


def test_blocked_points_cannot_be_spent_until_the_block_is_lifted(till: Till) -> None:
    till.adjust("ann", 30)
    till.adjust("bob", 30)
    change(till, "ann", "b", blocks=True)

    with pytest.raises(AccountBlocked) as refused:
        till.redeem("ann", 10)
    with pytest.raises(AccountBlocked):
        till.redeem("ann", 10, holds=True)

    assert refused.value.customer_id == till.ids["ann"]
    till.redeem("bob", 10)
    change(till, "ann", "u", blocks=False, reason="card found")
    till.redeem("ann", 10)
    assert till.differences() == []


def test_points_held_before_a_block_can_only_be_released(till: Till) -> None:
    till.adjust("ann", 30)
    held = till.redeem("ann", 10, holds=True)
    change(till, "ann", "b", blocks=True)

    with pytest.raises(AccountBlocked):
        till.redeem_held(held)
    till.release(held)

    assert till.account("ann") == (30, 0)
    assert till.differences() == []


def test_a_redemption_answers_again_after_a_block(till: Till) -> None:
    till.adjust("ann", 30)
    made = till.redeem("ann", 10, key="r")
    change(till, "ann", "b", blocks=True)

    assert till.redeem("ann", 10, key="r").id == made.id


def test_a_blocked_customer_earns_gives_back_and_is_adjusted(till: Till) -> None:
    change(till, "ann", "b", blocks=True)

    sale = till.sell("ann", ("tea", "1", "30.00"))
    till.adjust("ann", 5)
    till.adjust("ann", -2)
    till.take_back(None, sale, ("tea", "-1", "30.00"))

    assert till.account("ann") == (3, 0)
    with pytest.raises(AccountBlocked):
        till.redeem("ann", 1)


def test_a_customer_without_points_can_be_blocked(till: Till) -> None:
    change(till, "bob", "b", blocks=True)

    with pytest.raises(AccountBlocked):
        till.redeem("bob", 1)
    assert till.differences() == []


def test_the_same_request_changes_nothing_again(till: Till) -> None:
    first = change(till, "ann", "b", blocks=True)

    assert change(till, "ann", "b", blocks=True, actor="cleo") == first
    assert change(till, "ann", "u", blocks=False) == first
    assert change(till, "ann", "b", blocks=True) == first
    till.adjust("ann", 1)
    till.redeem("ann", 1)


@pytest.mark.parametrize(("blocks", "reason"), [(True, "other"), (False, "card stolen")])
def test_a_key_used_for_another_request_is_refused(till: Till, blocks: bool, reason: str) -> None:
    change(till, "ann", "b", blocks=True)

    with pytest.raises(IdempotencyMismatch):
        change(till, "ann", "b", blocks=blocks, reason=reason)


def test_what_is_blocked_cannot_be_blocked_and_what_is_not_cannot_be_lifted(till: Till) -> None:
    with pytest.raises(NotBlocked):
        change(till, "ann", "k", blocks=False)
    change(till, "ann", "b", blocks=True)

    with pytest.raises(AlreadyBlocked) as refused:
        change(till, "ann", "k", blocks=True, actor="cleo")

    assert (refused.value.blocked_by, refused.value.blocked_at) == ("bob", till.crm.clock.now())
    change(till, "ann", "k", blocks=False)
    change(till, "ann", "b2", blocks=True)


@pytest.mark.parametrize(("reason", "key"), [(" ", "k"), ("x" * 201, "k"), ("stolen", "")])
def test_a_block_needs_a_reason_and_a_key(till: Till, reason: str, key: str) -> None:
    with pytest.raises(ValidationFailed):
        change(till, "ann", key, blocks=True, reason=reason)


def test_nobody_cannot_be_blocked(till: Till) -> None:
    till.ids["nobody"] = UUID(int=7)

    with pytest.raises(NotFound):
        change(till, "nobody", "k", blocks=True)


def test_of_many_who_block_at_once_one_does(till: Till) -> None:
    def try_it(number: int) -> bool:
        try:
            change(till, "ann", f"k{number}", blocks=True)
        except AlreadyBlocked:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(try_it, range(12))).count(True) == 1
    assert till.differences() == []


@pytest.mark.parametrize(
    "sql", ["UPDATE loyalty_account SET is_blocked = NOT is_blocked", "DELETE FROM loyalty_account"]
)
def test_a_planted_error_is_found_and_mended(till: Till, sql: str) -> None:
    till.adjust("ann", 30)
    change(till, "ann", "b", blocks=True)
    change(till, "bob", "b", blocks=True)
    change(till, "bob", "u", blocks=False)
    with till.crm.database.write() as session:
        session.execute(text(sql))
    assert len(till.differences()) == 2

    till.rebuild()

    assert till.differences() == []
    assert verify(till.crm).is_good
    till.adjust("bob", 1)
    till.redeem("bob", 1)
    with pytest.raises(AccountBlocked):
        till.redeem("ann", 1)


def test_the_api_blocks_and_tells_the_history(till: Till) -> None:
    id_ = f"cus_{till.ids['ann'].hex}"

    def send(verb: str, key: str) -> Any:
        given = {"customerId": id_, "reason": f"{verb} it", "idempotencyKey": key}
        return till.ask(SET % verb, input=given)["answer"]

    block = {"reason": "blockPoints it", "blockedBy": "test"}
    assert send("blockPoints", "1")["block"] == {**block, "liftedBy": None}
    assert send("blockPoints", "2") == {
        "__typename": "AlreadyBlockedProblem", "code": "ALREADY_BLOCKED",
    }  # fmt: skip
    assert till.ask(BLOCKS, id=id_)["customer"]["loyalty"]["block"] == block
    assert send("unblockPoints", "3")["block"] == {**block, "liftedBy": "test"}
    assert send("unblockPoints", "4")["code"] == "NOT_BLOCKED"

    told = till.ask(BLOCKS, id=id_)["customer"]["loyalty"]

    assert told["block"] is None
    assert told["blocks"]["nodes"] == [
        {**block, "liftReason": "unblockPoints it", "liftedBy": "test"}
    ]
