"""A hook that ends the transaction behind the session's back is found out, and named."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, func, select

from crmkit import Crm, Outcome, Plugin, hookimpl
from crmkit.errors import HookFailed, SessionMisused
from crmkit.models import Transaction
from crmkit.testing import CrmFactory, sale

# SQLAlchemy's own remark on what the hooks here do.
pytestmark = pytest.mark.filterwarnings("ignore:transaction already deassociated")

UNDONE: dict[str, Callable[[Session], Any]] = {
    "reset": lambda session: session.reset(),
    "invalidate": lambda session: session.invalidate(),
    "transaction rolled back": lambda session: session.get_transaction().rollback(),  # type: ignore[union-attr]
    "connection rolled back": lambda session: session.connection().get_transaction().rollback(),  # type: ignore[union-attr]
    "ROLLBACK": lambda session: session.connection().exec_driver_sql("ROLLBACK"),
}
STORED: dict[str, Callable[[Session], Any]] = {
    "transaction committed": lambda session: session.get_transaction().commit(),  # type: ignore[union-attr]
    "connection committed": lambda session: session.connection().commit(),
    "COMMIT": lambda session: session.execute(text("COMMIT")),
}


def ant(end: Callable[[Session], Any]) -> Any:
    def transactions_recorded(session: Session) -> None:
        end(session)

    plugin = Plugin(name="ant", version="1", summary="For a test.")
    return SimpleNamespace(plugin=plugin, transactions_recorded=hookimpl(transactions_recorded))


def stored(crm: Crm) -> int:
    with crm.read() as session:
        return session.scalar(select(func.count()).select_from(Transaction)) or 0


@pytest.mark.parametrize("how", UNDONE)
def test_a_hook_that_undoes_the_write_fails_under_its_name(
    crm_factory: CrmFactory, how: str
) -> None:
    crm = crm_factory(ant(UNDONE[how]))

    with pytest.raises(HookFailed, match="'ant'"):
        crm.record_transactions([sale("T1")])

    assert stored(crm) == 0


@pytest.mark.parametrize("how", STORED)
def test_a_hook_that_commits_is_not_answered_with_taken(crm_factory: CrmFactory, how: str) -> None:
    crm = crm_factory(ant(STORED[how]))

    with pytest.raises(HookFailed, match="'ant'"):
        crm.record_transactions([sale("T1")])


@pytest.mark.parametrize("how", [*UNDONE, *STORED])
def test_the_next_write_is_not_troubled(crm_factory: CrmFactory, how: str) -> None:
    misbehaving = [True]

    def once(session: Session) -> None:
        if misbehaving.pop():
            {**UNDONE, **STORED}[how](session)

    crm = crm_factory(ant(once))
    with pytest.raises(HookFailed):
        crm.record_transactions([sale("T1")])
    misbehaving.append(False)

    assert crm.record_transactions([sale("T2")])[0].outcome is Outcome.TAKEN


def test_a_hook_that_ends_its_callers_savepoint_fails(crm_factory: CrmFactory) -> None:
    crm = crm_factory(ant(lambda session: session.get_nested_transaction().rollback()))  # type: ignore[union-attr]

    def work(session: Session) -> None:
        with session.begin_nested():
            crm.record_transactions([sale("T1")], session=session)

    with pytest.raises(HookFailed, match="'ant'"):
        crm.write(work)

    assert stored(crm) == 0


@pytest.mark.parametrize("how", ["transaction rolled back", "transaction committed"])
def test_work_that_ends_the_transaction_itself_is_refused(crm: Crm, how: str) -> None:
    with pytest.raises(SessionMisused, match="end it"):
        crm.write({**UNDONE, **STORED}[how])


def test_a_write_that_does_nothing_is_none_that_was_ended(crm: Crm) -> None:
    assert crm.write(lambda _session: 1) == 1
    assert crm.record_transactions([]) == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_error_that_is_swallowed_does_not_undo_the_write_in_silence(
    crm_factory: CrmFactory,
) -> None:
    def swallow(session: Session) -> None:
        try:
            session.execute(text("SELECT 1/0"))
        except DBAPIError:
            return

    crm = crm_factory(ant(swallow))

    with pytest.raises(HookFailed, match="'ant'"):
        crm.record_transactions([sale("T1")])

    assert stored(crm) == 0
