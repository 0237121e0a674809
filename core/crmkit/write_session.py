"""Sessions in which one write happens, whole or not at all."""

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, NestedTransaction, RootTransaction
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Session

from crmkit.errors import SessionMisused

log = logging.getLogger("crmkit")

# libpq's PQTRANS_IDLE, also before the first statement, and PQTRANS_INERROR, which a commit undoes
_IDLE, _FAILED = 0, 3


# The outermost transaction and the innermost savepoint, the session's and the connection's.
Transactions = tuple[
    SessionTransaction | None,
    SessionTransaction | None,
    RootTransaction | None,
    NestedTransaction | None,
]


class UnderWay(NamedTuple):
    """Which transaction a session is in, and whether its driver has begun one."""

    connection: Connection
    transactions: Transactions
    has_begun: bool


class WriteSession(Session):
    """A session in which one write happens, whole or not at all.

    Whoever opened it ends it: services and hooks that work in it can neither commit nor roll
    back, so what one of them does never comes apart from the rest. Savepoints are allowed.
    """

    _ended_by_owner = False

    def __init__(self, bind: Engine) -> None:
        super().__init__(bind)
        self._afterwards: list[Callable[[], object]] = []

    def after_commit(self, work: Callable[[], object]) -> None:
        """Have something done once the write is durable; not if it fails.

        It runs in the thread that wrote, when this session is closed, and may read and write in
        sessions of its own. An error in it is logged and changes nothing for whoever wrote. What
        was asked for inside a savepoint is done even if the savepoint was rolled back.
        """
        self._afterwards.append(work)

    def run_afterwards(self) -> None:
        """Do what was to be done once the write is durable; its owner calls this."""
        for work in self._afterwards:
            try:
                work()
            except Exception:
                log.exception("the write is stored, but what was to follow it failed")

    def commit(self) -> None:
        """Refuse, unless the owner ends the session."""
        self._only_owner("commit")
        super().commit()

    def rollback(self) -> None:
        """Refuse, unless the owner ends the session; raise an exception to undo the write."""
        self._only_owner("roll back")
        super().rollback()

    def close(self) -> None:
        """Refuse, unless the owner ends the session."""
        self._only_owner("close")
        super().close()

    def reset(self) -> None:
        """Refuse, unless the owner ends the session."""
        self._only_owner("reset")
        super().reset()

    def invalidate(self) -> None:
        """Refuse, unless the owner ends the session."""
        self._only_owner("invalidate")
        super().invalidate()

    def _only_owner(self, what: str) -> None:
        if not self._ended_by_owner:
            raise SessionMisused(what)


def under_way(session: Session) -> UnderWay | None:
    """Note which transaction a session is in, to be compared after others have used it."""
    if session.get_transaction() is None:
        return None  # nothing was begun, so there is nothing to lose
    connection = session.connection()
    return UnderWay(connection, _transactions(session, connection), _has_begun(connection))


def require_under_way(session: Session, before: UnderWay | None) -> None:
    """Do nothing if a session is still in the transaction it was in.

    It looks at SQLAlchemy's objects, which code can end without asking the session, and at the
    driver, for `COMMIT` and `ROLLBACK` may be sent as text.

    Raises:
        SessionMisused: it was ended, or the database has given it up after an error; what was
            written before may be stored or gone.
    """
    if before is None:
        return
    connection = before.connection
    for now, noted in zip(_transactions(session, connection), before.transactions, strict=True):
        if now is not noted or (now is not None and not now.is_active):
            raise SessionMisused("end")
    if (before.has_begun and not _has_begun(connection)) or _has_failed(connection):
        raise SessionMisused("end")


def _transactions(session: Session, connection: Connection) -> Transactions:
    return (
        session.get_transaction(),
        session.get_nested_transaction(),
        connection.get_transaction(),
        connection.get_nested_transaction(),
    )


def _has_begun(connection: Connection) -> bool:
    driver: Any = connection.connection.dbapi_connection
    if connection.dialect.name == "sqlite":
        return bool(driver.in_transaction)
    return bool(driver.info.transaction_status != _IDLE)


def _has_failed(connection: Connection) -> bool:
    driver: Any = connection.connection.dbapi_connection
    return bool(
        connection.dialect.name == "postgresql" and driver.info.transaction_status == _FAILED
    )
