"""What one request knows: who asks, when, and through which session."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError
from sqlmodel import Session
from strawberry import Info

from crmkit import Actor, Crm
from crmkit_schema.specs import PUBLIC

if TYPE_CHECKING:
    from crmkit_schema.fetching import Fetch


@dataclass(slots=True)
class RequestContext:
    """The context of one operation, given to every resolver as `info.context`.

    Attributes:
        crm: the domain; resolvers of mutations call its services.
        actor: who asks.
        session: reads one snapshot for the whole operation; None while a mutation runs, which
            opens its own.
        now: the instant the operation began.
        today: the shops' calendar day at that instant.
        statements: how many SQL statements were run so far.
    """

    crm: Crm
    actor: Actor
    session: Session | None
    now: datetime
    today: date
    schema: Any
    statements: int = 0
    _fetch: "Fetch | None" = field(default=None, repr=False)

    def require(self, permissions: Iterable[str]) -> None:
        """Refuse unless the actor has all of the permissions."""
        for permission in permissions:
            if permission != PUBLIC and permission not in self.actor.permissions:
                raise GraphQLError(
                    f"this needs the permission {permission!r}",
                    extensions={"code": "FORBIDDEN", "permission": permission},
                )

    def allows(self, permissions: Iterable[str]) -> bool:
        """Tell whether the actor has all of the permissions."""
        return all(each == PUBLIC or each in self.actor.permissions for each in permissions)

    def bound(self) -> dict[str, Any]:
        """Return the values for `crmkit_schema.bound`."""
        return {
            "request_home_currency": self.crm.settings.currency,
            "request_today": self.today,
            "request_now": self.now,
        }

    def rows(self, statement: Any) -> list[Any]:
        """Run a statement that reads and return its rows."""
        self.statements += 1
        values = self.bound()
        if self.session is not None:
            return list(self.session.execute(statement, values).mappings())
        with self.crm.read() as session:
            return list(session.execute(statement, values).mappings())

    def fetch(self, info: Info) -> "Fetch":
        """Return what fetches rows for the operation that `info` belongs to."""
        from crmkit_schema.fetching import Fetch

        raw = info._raw_info
        if self._fetch is None or self._fetch.operation is not raw.operation:
            self._fetch = Fetch(self, raw)
        return self._fetch.at(raw)
