"""`/livez` and `/readyz`: whether the process runs, and whether it can do its work."""

import logging
from collections.abc import Callable, Mapping

import anyio
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crmkit.database import Database
from crmkit_schema import media_types
from crmkit_schema.workers import Workers, WorkersBusy, WorkOverran

logger = logging.getLogger("crmkit")

SECONDS_MAX = 3.0

Check = Callable[[], str | None]
"""Returns None if all is well, else one sentence; an exception counts as not well."""


def health_routes(checks: Mapping[str, Check], seconds_max: float = SECONDS_MAX) -> list[Route]:
    """Return the two routes that a supervisor or load balancer asks, open to everybody.

    Args:
        checks: what readiness depends on, by name; each runs in a thread.
        seconds_max: how long all checks together may take, in seconds.
    """
    # Threads apart from those of the requests: a server that is busy is still ready.
    workers = Workers(2)

    async def ready(_request: Request) -> Response:
        deadline = anyio.current_time() + seconds_max
        answers = [(name, await _reason(checks[name], workers, deadline)) for name in checks]
        reasons = [{"check": name, "reason": reason} for name, reason in answers if reason]
        if reasons:
            return _answer(503, {"status": "not ready", "reasons": reasons})
        return _answer(200, {"status": "ready"})

    return [Route("/livez", alive), Route("/readyz", ready)]


async def alive(_request: Request) -> Response:
    """Say that the process answers; nothing else is looked at."""
    return _answer(200, {"status": "alive"})


def database_check(database: Database) -> Check:
    """Return the check that the database answers."""

    def check() -> None:
        with database.read() as session:
            session.connection().exec_driver_sql("SELECT 1")

    return check


async def _reason(check: Check, workers: Workers, deadline: float) -> str | None:
    try:
        return await workers.run(check, deadline)
    except (WorkersBusy, WorkOverran):
        return "no answer in time"
    except Exception:
        # Anybody may ask; hosts and paths stay in the log.
        logger.exception("a readiness check failed")
        return "failed"


def _answer(status: int, body: object) -> Response:
    return Response(orjson.dumps(body), status, media_type=media_types.JSON)
