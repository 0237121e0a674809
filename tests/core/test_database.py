"""Sessions: readers that cannot write, one SQLite writer, a PostgreSQL pool."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, func, select

from crmkit import Crm, Refused
from crmkit.database import Database
from crmkit.errors import DatabaseBusy, SettingsError
from crmkit.models import Customer, Transaction
from crmkit.testing import sale

THREADS = 64


def run_all(work: Callable[[int], None], count: int) -> None:
    """Run `work` in threads that start together; an error in one of them is raised here."""
    ready, errors = Barrier(count), []

    def one(number: int) -> None:
        ready.wait()
        try:
            work(number)
        except Exception as error:
            errors.append(error)

    threads = [Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def count(crm: Crm) -> int:
    with crm.read() as session:
        return session.exec(select(func.count(col(Transaction.id)))).one()


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "mysql://localhost/x", "sqlite://", "sqlite:///:memory:"],
)
def test_an_address_that_cannot_be_used_is_a_settings_error(url: str) -> None:
    with pytest.raises(SettingsError, match="database_url"):
        Database(url)


def test_a_reading_session_cannot_write(crm: Crm) -> None:
    crm.record_transactions([sale("1")])

    for statement in ("DELETE FROM transaction_line", "CREATE TABLE x (y INTEGER)"):
        with pytest.raises(DBAPIError, match=r"read-?only"), crm.read() as session:
            session.execute(text(statement))

    crm.record_transactions([sale("2")])
    assert count(crm) == 2


def test_a_reading_session_sees_one_moment(crm: Crm) -> None:
    with crm.read() as session:
        before = session.scalar(select(func.count(col(Transaction.id))))
        crm.record_transactions([sale("1")])
        after = session.scalar(select(func.count(col(Transaction.id))))

    assert (before, after, count(crm)) == (0, 0, 1)


@pytest.mark.parametrize("error", [Refused("no"), ZeroDivisionError(), KeyboardInterrupt()])
def test_a_writing_session_that_raises_leaves_nothing(crm: Crm, error: BaseException) -> None:
    def work(session: Session) -> None:
        session.execute(
            text("INSERT INTO customer_tag (customer_id, tag) SELECT id, 'x' FROM customer")
        )
        raise error

    crm.record_transactions([sale("1", customer="c")], create_missing_customers=True)
    with pytest.raises(type(error)):
        crm.write(work)

    with crm.read() as session:
        assert session.execute(text("SELECT count(*) FROM customer_tag")).scalar() == 0
    crm.record_transactions([sale("2")])


def test_foreign_keys_are_enforced(crm: Crm) -> None:
    orphan = text("INSERT INTO customer_tag (customer_id, tag) VALUES (:id, 'x')")

    with pytest.raises(DBAPIError, match=r"(?i)foreign key"):
        crm.write(lambda session: session.execute(orphan, {"id": "0" * 32}))


def test_many_threads_write_without_ever_finding_the_database_locked(crm: Crm) -> None:
    rounds, threads = 2, THREADS if crm.database.dialect == "sqlite" else 24

    def work(number: int) -> None:
        for turn in range(rounds):
            crm.record_transactions(
                [sale(f"{number}-{turn}", customer=f"c{number % 5}")],
                create_missing_customers=True,
            )
            count(crm)

    run_all(work, threads)

    with crm.read() as session:
        customers = session.exec(select(func.count(col(Customer.id)))).one()
    assert (count(crm), customers) == (threads * rounds, 5)


def test_the_first_writers_claim_the_file_together(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new' / 'crmkit.sqlite3'}")

    run_all(lambda _number: database.claim(), 16)

    database.close()


WRITER = """
import sys
from crmkit.database import Database
from crmkit.errors import DatabaseBusy
database = Database(sys.argv[1])
try:
    with database.write() as session:
        session.connection().exec_driver_sql("CREATE TABLE t (x INTEGER)")
except DatabaseBusy as error:
    print("busy:", error)
else:
    print("done")
"""


def _write_elsewhere(url: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", WRITER, url], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_a_second_process_may_read_an_sqlite_file_but_not_write_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'crmkit.sqlite3'}"
    first, second = Database(url), Database(url)
    first.claim()

    refused = _write_elsewhere(url)
    with pytest.raises(DatabaseBusy, match="another"):
        second.claim()
    first.close()
    taken = _write_elsewhere(url)

    assert refused.startswith("busy:")
    assert "crmkit.sqlite3" in refused
    assert taken == "done\n"


RECORDER = """
import sys
from pathlib import Path
from crmkit import Crm, Settings
from crmkit.testing import sale
settings = Settings.load(Path(sys.argv[1]), plugins=(), database_url=sys.argv[2])
with Crm(settings) as crm:
    print("ready", flush=True)
    sys.stdin.readline()
    for start in (0, 300):
        batch = [sale(str(n), customer=f"c{n % 50}") for n in range(start, start + 300)]
        for result in crm.record_transactions(batch, create_missing_customers=True):
            print(result.outcome, result.id)
"""


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_processes_recording_the_same_sales_get_the_same_answers(
    crm: Crm, tmp_path: Path
) -> None:
    url = crm.database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", RECORDER, str(tmp_path), url]
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    printed = [process.communicate(timeout=60)[0] for process in both]

    answers = [[line.split() for line in each.splitlines()] for each in printed]
    assert [each[1] for each in answers[0]] == [each[1] for each in answers[1]]
    assert {tuple(sorted((a[0], b[0]))) for a, b in zip(*answers, strict=True)} == {
        ("known", "taken")
    }
    assert count(crm) == 600
