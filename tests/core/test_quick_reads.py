"""Reads on the event loop: right, or none at all, and never in anybody's way."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from crmkit import Crm, CustomerInput
from crmkit.database import Database
from crmkit.quick_reads import QuickReads

# A join that would count for minutes.
ENDLESS = """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000)
    SELECT CAST(count(*) AS TEXT) FROM n"""


def is_sqlite(crm: Crm) -> bool:
    return crm.database.dialect == "sqlite"


def text_of(found: str | bytes | None) -> str | None:
    return found.decode() if isinstance(found, bytes) else found


def ask(crm: Crm, literal: str) -> tuple[str, Any]:
    """Return a statement that gives its parameter back, and the parameter."""
    if is_sqlite(crm):
        return "SELECT ? || '%'", (literal,)
    return "SELECT %(it)s::text || '%%'", {"it": literal}


def quickly(crm: Crm, work: Callable[[QuickReads], Awaitable[Any]]) -> Any:
    return asyncio.run(_with(work, crm.database.quick))


async def _with(work: Callable[[QuickReads], Awaitable[Any]], reads: QuickReads) -> Any:
    return await work(reads)


@pytest.mark.parametrize("literal", ["", "plain", "'\";--", "%s %(it)s", "会员 🛒", "\\"])
def test_a_value_comes_back_as_it_was_given(crm: Crm, literal: str) -> None:
    async def twice(reads: QuickReads) -> list[str | None]:
        return [text_of(await reads.text(*ask(crm, literal))) for _ in range(2)]

    assert quickly(crm, twice) == [f"{literal}%"] * 2


def test_many_at_once_get_their_own_answers(crm: Crm) -> None:
    async def all_at_once(reads: QuickReads) -> list[str | None]:
        asked = [reads.text(*ask(crm, str(number))) for number in range(200)]
        return [text_of(found) for found in await asyncio.gather(*asked)]

    assert quickly(crm, all_at_once) == [f"{number}%" for number in range(200)]


def test_a_statement_that_fails_gives_nothing_and_spoils_nothing(crm: Crm) -> None:
    async def wrong_then_right(reads: QuickReads) -> list[str | None]:
        wrong = await reads.text("SELECT nothing FROM nowhere", () if is_sqlite(crm) else {})
        return [text_of(wrong), text_of(await reads.text(*ask(crm, "a")))]

    assert quickly(crm, wrong_then_right) == [None, "a%"]


def test_nothing_can_be_written(crm: Crm) -> None:
    statement = "DELETE FROM customer RETURNING 'gone'"

    async def write(reads: QuickReads) -> str | bytes | None:
        return await reads.text(statement, () if is_sqlite(crm) else {})

    assert quickly(crm, write) is None


def test_the_next_event_loop_takes_over(crm: Crm) -> None:
    async def once(reads: QuickReads) -> str | None:
        return text_of(await reads.text(*ask(crm, "a")))

    assert [quickly(crm, once) for _ in range(3)] == ["a%"] * 3


def test_what_was_committed_meanwhile_is_seen(crm: Crm) -> None:
    count = "SELECT CAST(count(*) AS TEXT) FROM customer"
    values: Any = () if is_sqlite(crm) else {}

    async def before_and_after(reads: QuickReads) -> list[str | None]:
        before = text_of(await reads.text(count, values))
        await asyncio.to_thread(_add_customer, crm)
        return [before, text_of(await reads.text(count, values))]

    assert quickly(crm, before_and_after) == ["0", "1"]


def _add_customer(crm: Crm) -> None:
    crm.upsert_customers([CustomerInput(source="till", external_id="1")])


def test_sqlite_gives_up_soon_and_does_not_try_again(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    database.create()

    async def timed(reads: QuickReads) -> list[float]:
        found = []
        for _ in range(2):
            started = time.perf_counter()
            assert await reads.text(ENDLESS, ()) is None
            found.append(time.perf_counter() - started)
        return found

    first, second = asyncio.run(_with(timed, database.quick))
    database.close()

    assert first < 1
    assert second < first


def test_statements_below_the_limit_are_never_given_up(tmp_path: Path) -> None:
    """SQLite counts a prepared statement's steps through all of its runs."""
    database = Database(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    database.create()
    some = ENDLESS.replace("1000000000", "900")

    async def often(reads: QuickReads) -> set[str | bytes | None]:
        return {await reads.text(some, ()) for _ in range(300)}

    assert asyncio.run(_with(often, database.quick)) == {"900"}
    database.close()


def test_the_event_loop_waits_for_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    database = Database(f"sqlite:///{path}")
    database.create()
    database.close()

    async def timed(reads: QuickReads) -> float:
        started = time.perf_counter()
        assert await reads.text("SELECT CAST(count(*) AS TEXT) FROM sqlite_master", ()) is None
        return time.perf_counter() - started

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE held (id INTEGER)")
        assert asyncio.run(_with(timed, database.quick)) < 2
    database.close()


def test_without_a_file_there_is_no_answer_and_none_is_made(tmp_path: Path) -> None:
    path = tmp_path / "none.sqlite3"
    database = Database(f"sqlite:///{path}")

    async def read(reads: QuickReads) -> str | bytes | None:
        return await reads.text("SELECT '1'", ())

    assert asyncio.run(_with(read, database.quick)) is None
    assert not path.exists()


@pytest.fixture
def postgres(crm: Crm) -> Crm:
    if is_sqlite(crm):
        pytest.skip("about connections of PostgreSQL")
    return crm


def test_whoever_stops_waiting_leaves_no_answer_behind(postgres: Crm) -> None:
    slow = "SELECT 'late' || pg_sleep(0.3)::text"

    async def leave(reads: QuickReads) -> list[str | None]:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reads.text(slow, {}), 0.05)
        asked = [reads.text(*ask(postgres, str(number))) for number in range(20)]
        return [text_of(found) for found in await asyncio.gather(*asked)]

    assert quickly(postgres, leave) == [f"{number}%" for number in range(20)]


def test_waiting_for_a_connection_can_be_given_up(postgres: Crm) -> None:
    slow = "SELECT 'late' || pg_sleep(0.4)::text"

    async def crowd(reads: QuickReads) -> str | None:
        busy = [asyncio.create_task(reads.text(slow, {})) for _ in range(8)]
        await asyncio.sleep(0.2)
        waiting = [asyncio.create_task(reads.text(slow, {})) for _ in range(20)]
        await asyncio.sleep(0.01)
        for each in waiting:
            each.cancel()
        last = text_of(await reads.text(*ask(postgres, "a")))
        await asyncio.gather(*busy)
        return last

    assert quickly(postgres, crowd) == "a%"


def test_nobody_waits_long_for_a_connection_that_others_take_again_and_again(
    postgres: Crm,
) -> None:
    slow = "SELECT 'late' || pg_sleep(0.4)::text"

    async def crowd(reads: QuickReads) -> str | bytes | None:
        async def again_and_again() -> None:
            while True:
                await reads.text(slow, {})

        greedy = [asyncio.create_task(again_and_again()) for _ in range(8)]
        await asyncio.sleep(0.3)
        async with asyncio.timeout(10):
            found = await reads.text(*ask(postgres, "a"))
        for each in greedy:
            each.cancel()
        await asyncio.gather(*greedy, return_exceptions=True)
        return found

    assert quickly(postgres, crowd) is None


def test_connections_that_the_server_ended_are_replaced(postgres: Crm) -> None:
    async def through(reads: QuickReads) -> list[str | None]:
        found = [text_of(await reads.text(*ask(postgres, "a")))]
        await asyncio.to_thread(_end_others, postgres)
        await asyncio.sleep(0.1)
        return [*found, text_of(await reads.text(*ask(postgres, "b")))]

    assert quickly(postgres, through) == ["a%", "b%"]


def _end_others(crm: Crm) -> None:
    with crm.database.writer.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_statement_is_prepared_once_on_each_connection(postgres: Crm) -> None:
    async def often(reads: QuickReads) -> str | None:
        for number in range(10):
            await reads.text(*ask(postgres, str(number)))
        return text_of(
            await reads.text("SELECT count(*)::text || '' FROM pg_prepared_statements", {})
        )

    assert quickly(postgres, often) == "2"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, "true"), (7, "7"), (70_000, "70000"), (2**40, "1099511627776"), (1.5, "1.5")],
)
def test_a_parameter_keeps_its_type_where_the_statement_says_none(
    postgres: Crm, value: Any, expected: str
) -> None:
    sql = "SELECT coalesce(to_json(%(it)s)::text, 'null')"

    async def read(reads: QuickReads) -> str | None:
        return text_of(await reads.text(sql, {"it": value}))

    assert quickly(postgres, read) == expected
    assert postgres.database.read_text(sql, {"it": value}) == expected


def test_numbers_of_any_size_follow_each_other(postgres: Crm) -> None:
    sql = "SELECT to_json(%(it)s)::text"
    numbers = [1, 2**20, 2**40, -5, 3]

    async def each(reads: QuickReads) -> list[str | None]:
        return [text_of(await reads.text(sql, {"it": number})) for number in numbers]

    assert quickly(postgres, each) == [str(number) for number in numbers]


def test_a_thread_reads_the_same(crm: Crm) -> None:
    assert [crm.database.read_text(*ask(crm, text)) for text in ("a", "b")] == ["a%", "b%"]


def test_a_failing_statement_of_a_thread_tells_why_and_spoils_nothing(crm: Crm) -> None:
    with pytest.raises(DBAPIError) as failed:
        crm.database.read_text("SELECT nothing FROM nowhere", () if is_sqlite(crm) else {})

    assert not failed.value.connection_invalidated
    assert crm.database.read_text(*ask(crm, "a")) == "a%"


def test_a_thread_learns_that_its_connection_was_lost(postgres: Crm) -> None:
    postgres.database.read_text(*ask(postgres, "a"))
    _end_others(postgres)

    with pytest.raises(DBAPIError) as failed:
        postgres.database.read_text(*ask(postgres, "a"))

    assert failed.value.connection_invalidated
    assert postgres.database.read_text(*ask(postgres, "b")) == "b%"


def test_more_statements_than_are_kept_prepared(postgres: Crm) -> None:
    async def various(reads: QuickReads) -> list[str | None]:
        return [
            text_of(await reads.text(f"SELECT '{number}' || %(it)s::text", {"it": ""}))
            for number in (*range(600), *range(600))
        ]

    assert quickly(postgres, various) == [str(number) for number in (*range(600), *range(600))]


def test_no_server_means_no_answer() -> None:
    url = make_url("postgresql://nobody@127.0.0.1:1/none")
    database = Database(url.render_as_string())

    async def read(reads: QuickReads) -> list[str | bytes | None]:
        return [await reads.text("SELECT '1'", {}) for _ in range(3)]

    assert asyncio.run(_with(read, database.quick)) == [None] * 3
    with pytest.raises(OperationalError) as failed:
        database.read_text("SELECT '1'", {})
    assert not failed.value.connection_invalidated
    database.close()
