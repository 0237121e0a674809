"""A plugin's function that hangs costs its field, and nothing else."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
import strawberry
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from strawberry import Info

from crmkit import SchemaContribution
from crmkit_schema import Customer, fetch_row
from crmkit_schema.declarations import computed, resolved
from crmkit_schema.engine.running import Run
from crmkit_schema.object_types import value_type
from crmkit_schema.patience import Patience
from crmkit_schema.plugin_threads import ABANDONED_MAX
from crmkit_schema.specs import PUBLIC

QUERY = "{ customers { totalCount nodes { slow displayName quick } } }"
TIMED_OUT, BUSY = "PLUGIN_TIMED_OUT", "PLUGIN_BUSY"


class Hanging:
    """A function that hangs until it is let go, and what it did."""

    def __init__(self) -> None:
        self.let_go, self.ended = threading.Event(), threading.Event()
        self.calls = 0
        self.work: Callable[[Any], None] = lambda _context: None
        self.error: Exception | None = None

    def __call__(self, parents: Sequence[Any], context: Any) -> list[str]:
        self.calls += 1
        self.let_go.wait(30)
        try:
            self.work(context)
        except Exception as error:
            self.error = error
        self.ended.set()
        return ["late" for _ in parents]


@pytest.fixture
def hanging() -> Hanging:
    """Give a function that hangs until the test is over."""
    return Hanging()


@pytest.fixture
def slow_api(api_with: Any, hanging: Hanging) -> Iterator[Callable[..., Any]]:
    """Give a function that makes a schema, and let what hangs in it end with the test."""
    made: list[Any] = []

    def make(contribution: SchemaContribution, **settings: Any) -> Any:
        made.append(api_with(contribution, **{"plugin_seconds_max": 0.2, **settings}))
        return made[-1]

    yield make
    hanging.let_go.set()
    for each in made:
        _soon(partial(_is_calm, each))


@pytest.fixture
def api(slow_api: Any, hanging: Hanging) -> Any:
    """Give a schema of which two fields of customers are a stranger's, and one of them hangs."""

    def counts(parents: Sequence[Any], context: Any) -> list[int]:
        count = context.session.execute(text("SELECT count(*) FROM customer")).scalar_one()
        return [count for _ in parents]

    @strawberry.type
    class OfCustomer:
        slow: str = computed("Hangs.", hanging, permission=PUBLIC)
        quick: int = computed("Reads.", counts, permission=PUBLIC)

    @strawberry.type
    class Query:
        @resolved("Hangs.", permission=PUBLIC)
        def forever(self, info: Info) -> int | None:
            hanging([], info.context)
            return 1

    return slow_api(SchemaContribution(queries=(Query,), extends={"Customer": OfCustomer}))


def test_a_function_that_hangs_costs_its_field_only(api: Any, hanging: Hanging) -> None:
    answer = api.answer(QUERY)

    customers = answer.data["customers"]
    assert [each["slow"] for each in customers["nodes"]] == [None, None, None]
    assert [each["quick"] for each in customers["nodes"]] == [3, 3, 3]
    assert [each["displayName"] for each in customers["nodes"]].count(None) == 0
    assert {each["extensions"]["code"] for each in answer.errors} == {TIMED_OUT}
    assert [each["path"] for each in answer.errors] == [
        ["customers", "nodes", position, "slow"] for position in range(3)
    ]
    assert hanging.calls == 1


def test_a_root_field_that_hangs_costs_itself_only(api: Any) -> None:
    answer = api.answer("{ forever customers { totalCount } }")

    assert answer.data == {"forever": None, "customers": {"totalCount": 3}}
    assert [(each["path"], each["extensions"]["code"]) for each in answer.errors] == [
        (["forever"], TIMED_OUT)
    ]


def test_what_was_given_up_may_still_read_and_leaves_nothing_open(
    api: Any, hanging: Hanging
) -> None:
    found: list[int] = []

    def work(context: Any) -> None:
        rows = context.session.execute(text("SELECT id FROM customer"))
        with api.crm.read() as own:
            found.append(len(own.execute(text("SELECT id FROM customer")).all()))
        found.append(len(rows.all()))

    hanging.work = work
    before = api.crm.database._reader.pool.checkedout()
    api.answer(QUERY)
    held = api.crm.database._reader.pool.checkedout()
    hanging.let_go.set()
    assert hanging.ended.wait(10)

    assert hanging.error is None
    assert found == [3, 3]
    assert held == before + 1
    _soon(lambda: api.crm.database._reader.pool.checkedout() == before)


def test_too_many_that_hang_are_refused_at_once_and_served_again_when_they_have_ended(
    api: Any, hanging: Hanging
) -> None:
    query = "{ customers { nodes { slow } } }"
    for _ in range(ABANDONED_MAX):
        assert set(api.codes(query)) == {TIMED_OUT}
    began = time.monotonic()

    codes = set(api.codes(QUERY))

    assert codes == {BUSY}
    assert hanging.calls == ABANDONED_MAX
    assert time.monotonic() - began < 5
    hanging.let_go.set()
    _soon(lambda: api.answer(QUERY).errors == [])


def test_functions_that_hang_cost_a_request_no_more_than_half_its_time(
    slow_api: Any, hanging: Hanging
) -> None:
    names = [f"h{number}" for number in range(6)]
    fields = {name: computed("Hangs.", hanging, permission=PUBLIC) for name in names}
    members = {"__annotations__": dict.fromkeys(names, str), **fields}
    of_customer = strawberry.type(type("OfCustomer", (), members))
    contribution = SchemaContribution(extends={"Customer": of_customer})
    api = slow_api(contribution, plugin_seconds_max=3.0, request_seconds_max=2.0)
    began = time.monotonic()

    codes = api.codes("{ customers(first: 1) { nodes { " + " ".join(names) + " } } }")

    assert codes == [TIMED_OUT] * 6
    assert time.monotonic() - began < 2


def test_a_plugins_own_objects_may_hang_too(slow_api: Any, hanging: Hanging) -> None:
    def hang() -> str | None:
        return hanging([1], None)[0]

    @value_type
    class Shelf:
        """A value with a method."""

        place: str | None = strawberry.field(resolver=hang, description="Hangs.")

    def shelves(parents: Sequence[Any], _context: Any) -> list[Shelf]:
        return [Shelf() for _ in parents]

    @strawberry.type
    class OfCustomer:
        shelf: Shelf = computed("Made.", shelves, permission=PUBLIC)

    api = slow_api(SchemaContribution(extends={"Customer": OfCustomer}))

    codes = api.codes("{ customers { nodes { shelf { place } } } }")

    assert codes == [TIMED_OUT] * 3
    assert hanging.calls == 1


def test_a_plugin_that_wants_to_exit_ends_nothing(api_with: Any) -> None:
    def exits(_parents: Sequence[Any], _context: Any) -> list[int]:
        raise SystemExit(0)

    @strawberry.type
    class OfCustomer:
        leaving: int = computed("Exits.", exits, permission=PUBLIC)

    api = api_with(SchemaContribution(extends={"Customer": OfCustomer}))

    assert api.codes("{ customers(first: 1) { nodes { leaving } } }") == ["INTERNAL"]


def test_a_statement_that_failed_unnoticed_spoils_nothing(slow_api: Any) -> None:
    def careless(parents: Sequence[Any], context: Any) -> list[int]:
        with suppress(DBAPIError):
            context.session.execute(text("SELECT nothing FROM nowhere"))
        return [0 for _ in parents]

    def careful(parents: Sequence[Any], context: Any) -> list[int]:
        return [context.session.execute(text("SELECT 1")).scalar_one() for _ in parents]

    @strawberry.type
    class OfCustomer:
        first: int = computed("Fails quietly.", careless, permission=PUBLIC)
        second: int = computed("Reads.", careful, permission=PUBLIC)

    api = slow_api(SchemaContribution(extends={"Customer": OfCustomer}), plugin_seconds_max=3.0)

    data = api("{ customers(first: 1) { nodes { first second } } }")

    assert data["customers"]["nodes"] == [{"first": 0, "second": 1}]


def test_what_was_given_up_fetches_rows_through_its_own_session(
    slow_api: Any, hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: dict[str, Any] = {}
    read = Run.text

    def noted(run: Run, sql: str, values: Any) -> str:
        used["late"] = run.context.session
        return read(run, sql, values)

    @strawberry.type
    class Query:
        @resolved("Hangs, then reads.", permission=PUBLIC)
        def late(self, info: Info, id: strawberry.ID) -> Customer | None:
            hanging.work = lambda _context: used.update(row=fetch_row(info, Customer, id))
            hanging([], info.context)
            return None

        @resolved("Is answered while that reads.", permission=PUBLIC)
        def other(self, info: Info) -> bool:
            used["other"] = info.context.session
            hanging.let_go.set()
            return hanging.ended.wait(10)

    api = slow_api(SchemaContribution(queries=(Query,)))
    (known, *_) = api("{ customers { nodes { id } } }")["customers"]["nodes"]
    waits = iter((0.2, 20.0))
    monkeypatch.setattr(Patience, "seconds", lambda *_: next(waits))
    monkeypatch.setattr(Run, "text", noted)

    answer = api.answer("query($id: ID!) { late(id: $id) { id } other }", id=known["id"])

    assert answer.data == {"late": None, "other": True}
    assert hanging.error is None
    assert used["late"] is not used["other"]


def test_a_function_may_call_what_hangs_and_leaves_nothing_open(
    slow_api: Any, hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    @strawberry.type
    class OfCustomer:
        slow: str | None = computed("Hangs.", hanging, permission=PUBLIC)

    @strawberry.type
    class Query:
        @resolved("A row, of which a field hangs.", permission=PUBLIC)
        def outer(self, info: Info, id: strawberry.ID) -> Customer:
            return fetch_row(info, Customer, id)

        @resolved("Reads.", permission=PUBLIC)
        def count(self, info: Info) -> int:
            query = text("SELECT count(*) FROM customer")
            return int(info.context.session.execute(query).scalar_one())

    contribution = SchemaContribution(queries=(Query,), extends={"Customer": OfCustomer})
    api = slow_api(contribution)
    (known, *_) = api("{ customers { nodes { id } } }")["customers"]["nodes"]
    before = api.crm.database._reader.pool.checkedout()
    waits = iter((20.0, 0.2, 20.0))
    monkeypatch.setattr(Patience, "seconds", lambda *_: next(waits))

    query = "query($id: ID!) { outer(id: $id) { id slow } count }"
    answer = api.answer(query, id=known["id"])

    assert answer.data == {"outer": {**known, "slow": None}, "count": 3}
    assert [each["extensions"]["code"] for each in answer.errors] == [TIMED_OUT]
    hanging.let_go.set()
    _soon(lambda: bool(api.crm.database._reader.pool.checkedout() == before))


def _is_calm(api: Any) -> bool:
    return bool(api.schema.plugin_threads.abandoned_count == 0)


def _soon(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
