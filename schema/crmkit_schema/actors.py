"""Who bears which token, asked of the database at most every few seconds."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from crmkit.access import Actor

Authenticate = Callable[[str], Actor | None]

SECONDS_MAX: Final = 5.0
"""How long after a token was revoked it may still be taken."""
REMEMBERED_MAX: Final = 10_000


class Actors:
    """The bearers of the tokens seen lately.

    Args:
        authenticate: returns whom a token belongs to, None if the token is not good.
    """

    def __init__(self, authenticate: Authenticate) -> None:
        self._authenticate = authenticate
        self._known: dict[str, tuple[Actor, float]] = {}

    def known(self, token: str) -> Actor | None:
        """Return the bearer of a token that was looked up a moment ago."""
        found = self._known.get(token)
        return found[0] if found is not None and time.monotonic() < found[1] else None

    def look_up(self, token: str) -> Actor | None:
        """Return the bearer of a token as the database has it, and remember a good one."""
        asked_at = time.monotonic()
        actor = self._authenticate(token)
        if actor is not None:
            if len(self._known) >= REMEMBERED_MAX:
                self._known.clear()
            self._known[token] = actor, asked_at + _seconds(actor)
        return actor


def _seconds(actor: Actor) -> float:
    if actor.expires_at is None:
        return SECONDS_MAX
    return min(SECONDS_MAX, (actor.expires_at - datetime.now(UTC)).total_seconds())
