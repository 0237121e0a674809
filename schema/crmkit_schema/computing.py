"""Calling the Python functions of fields, so that none of them can hold a request up for ever.

Core's and built-in plugins' functions run in the thread of the request. Those of other plugins
run in a thread of their own, with a context of their own: the request waits for a while and then
goes on without them, and they keep what they work with until they end.
"""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from graphql import GraphQLError

from crmkit_schema.declarations import CrmField
from crmkit_schema.plugin_threads import Abandoned, TooManyAbandoned

if TYPE_CHECKING:
    from crmkit_schema.context import RequestContext

T = TypeVar("T")
logger = logging.getLogger("crmkit")


def compute(
    declared: CrmField, context: "RequestContext", work: Callable[["RequestContext"], T]
) -> T:
    """Return what the function of a field gives.

    Args:
        declared: the field, as it is composed.
        work: calls the function, which may use no other context than the one given.

    Raises:
        GraphQLError: the function was given up, now or earlier in this request (code
            PLUGIN_TIMED_OUT), or too many of its plugin's still run (code PLUGIN_BUSY).
        Exception: what the function raises.
    """
    try:
        if declared.owner in context.schema.built_in:
            return work(context)
        return _elsewhere(declared, context, work)
    except Exception:
        context.leave_failed_snapshot()
        raise


def _elsewhere(
    declared: CrmField, context: "RequestContext", work: Callable[["RequestContext"], T]
) -> T:
    patience = context.patience
    if id(declared) in patience.given_up:
        raise _timed_out()
    lent = context.lent()
    seconds_max = patience.seconds(context.crm.settings)
    began = time.monotonic()
    try:
        made: T = context.schema.plugin_threads.run(
            declared.owner, lambda: work(lent), seconds_max, lent.end
        )
    except Abandoned:
        patience.give_up(id(declared), time.monotonic() - began)
        context.renounce_session()
        logger.error(  # noqa: TRY400 there is nothing more to tell
            "field %s of plugin %r was given up after %.1f s; its function still runs",
            declared.python_name,
            declared.owner,
            seconds_max,
        )
        raise _timed_out() from None
    except TooManyAbandoned:
        raise GraphQLError(
            "too much of what computes this hangs already", extensions={"code": "PLUGIN_BUSY"}
        ) from None
    except SystemExit as error:
        context.take_back(lent)
        raise RuntimeError(f"plugin {declared.owner!r} called sys.exit()") from error
    except Exception:
        context.take_back(lent)
        raise
    context.take_back(lent)
    context.leave_failed_snapshot()  # the function may have caught the error itself
    return made


def _timed_out() -> GraphQLError:
    return GraphQLError(
        "what computes this took too long and was given up",
        extensions={"code": "PLUGIN_TIMED_OUT"},
    )
