"""What one request knows: who asks, when, and through which session."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from graphql import GraphQLError
from sqlalchemy import Executable
from sqlmodel import Session
from strawberry import Info

from crmkit import Actor, Crm
from crmkit_schema.fetching import Fetch
from crmkit_schema.patience import Patience
from crmkit_schema.specs import PUBLIC

if TYPE_CHECKING:
    from crmkit_schema.runtime import ComposedSchema

RowReader = Callable[[Info, Mapping[type, Sequence[Any]]], dict[tuple[type, Any], Any] | None]
ROWS_MAX = 20_000
"""Most rows that one operation reads; keys of one level stay below what databases bind at once."""


@dataclass(slots=True)
class RequestContext:
    """The context of one operation, given to every resolver as `info.context`.

    Attributes:
        crm: the domain; resolvers of mutations call its services.
        actor: who asks.
        session: reads one snapshot: for a whole query, or for the payload of one mutation; None
            while a mutation writes.
        now: the instant the operation began.
        today: the shops' calendar day at that instant.
        schema: what the operation is executed on.
        announced: stored id of the row that a subscription delivers; None for other operations.
        patience: how long functions of plugins are waited for.
        planned_rows: reads rows by id with all that is selected of them, where a plan can.
        written: what root fields of a mutation gave that were called already, by selection.
    """

    crm: Crm
    actor: Actor
    session: Session | None
    now: datetime
    today: date
    schema: "ComposedSchema"
    announced: UUID | None = None
    patience: Patience = field(default_factory=Patience)
    planned_rows: RowReader | None = field(default=None, repr=False)
    written: dict[tuple[int, ...], Any] = field(default_factory=dict, repr=False)
    _reading: AbstractContextManager[Session] | None = field(default=None, repr=False)
    _rows_left: int = ROWS_MAX
    _fetch: Fetch | None = field(default=None, repr=False)

    @property
    def is_production(self) -> bool:
        """Whether names that the client did not send stay out of messages."""
        return self.crm.settings.profile == "production"

    @property
    def rows_max(self) -> int:
        """How many rows a statement should fetch at most: one more than are left."""
        return self._rows_left + 1

    def require(self, permissions: Iterable[str]) -> None:
        """Refuse unless the actor has all of the permissions."""
        for permission in sorted(permissions):
            if not self.allows([permission]):
                raise GraphQLError(
                    f"this needs the permission {permission!r}",
                    extensions={"code": "FORBIDDEN", "permission": permission},
                )

    def allows(self, permissions: Iterable[str]) -> bool:
        """Tell whether the actor has all of the permissions."""
        return all(each == PUBLIC or each in self.actor.permissions for each in permissions)

    def rows(self, statement: Executable) -> list[Mapping[str, Any]]:
        """Run a statement that reads, with the values of `bound`, and return its rows.

        Raises:
            GraphQLError: the whole operation read more rows than one may; code TOO_MANY_ROWS.
        """
        if self.session is not None:
            found = self._run(self.session, statement)
        else:
            with self.crm.read() as session:
                found = self._run(session, statement)
        self._rows_left -= len(found)
        if self._rows_left < 0:
            raise GraphQLError(
                f"one query reads {ROWS_MAX:,} rows at most; ask for smaller pages",
                extensions={"code": "TOO_MANY_ROWS"},
            )
        return found

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Read everything inside the block from one snapshot."""
        if self.session is not None:
            yield self.session
            return
        session = self._begin()
        try:
            yield session
        finally:
            self.end()

    def leave_failed_snapshot(self) -> None:
        """Read from a new snapshot if a statement of a plugin failed in this one.

        PostgreSQL refuses whatever follows in the same transaction.
        """
        if self._reading is None or self.session is None:
            return
        if self.crm.database.dialect == "postgresql" and _has_failed(self.session):
            self.end()
            self._begin()

    def lent(self) -> "RequestContext":
        """Return a context with the same session, for a function that may never end."""
        lent = copy(self)
        lent._fetch = None
        return lent

    def take_back(self, lent: "RequestContext") -> None:
        """Go on after a function has ended that had a context of its own.

        What it called may have been given up with the session, or have failed in it.
        """
        self._rows_left = lent._rows_left
        self.session, self._reading = lent.session, lent._reading

    def renounce_session(self) -> None:
        """Leave the session to the function it was lent to, which ends it, and open another."""
        if self._reading is not None:
            self._begin()

    def end(self) -> None:
        """Close the session that `snapshot` opened."""
        reading, self._reading, self.session = self._reading, None, None
        if reading is not None:
            reading.__exit__(*sys.exc_info())

    def _begin(self) -> Session:
        self._reading = self.crm.read()
        self.session = session = self._reading.__enter__()
        return session

    def fetch(self, info: Info) -> Fetch:
        """Return what fetches rows for the operation that `info` belongs to."""
        if self._fetch is None:
            self._fetch = Fetch(self, info._raw_info)
        return self._fetch

    def _run(self, session: Session, statement: Executable) -> list[Mapping[str, Any]]:
        values = {
            "request_home_currency": self.crm.settings.currency,
            "request_today": self.today,
            "request_now": self.now,
        }
        return [dict(row) for row in session.connection().execute(statement, values).mappings()]


def _has_failed(session: Session) -> bool:
    """Tell whether a session is in a transaction of PostgreSQL in which a statement failed."""
    driver: Any = session.connection().connection.driver_connection
    return bool(driver.info.transaction_status.name == "INERROR")
