"""Records by global id."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from graphql import GraphQLError
from strawberry import Info

from crmkit_schema.context import RequestContext
from crmkit_schema.object_types import split_id
from crmkit_schema.specs import permission_of
from crmkit_schema.values import bad_input

IDS_MAX = 100


def stored_id(prefix: str) -> Callable[[str, Any], UUID | None]:
    """Return the coercer of a look-up by global id; an id of another type finds nothing."""

    def coerce(text: str, _context: Any) -> UUID | None:
        found, id_ = split_id(text)
        return id_ if found == prefix else None

    return coerce


def fetch_nodes(info: Info, ids: Sequence[str]) -> list[Any]:
    """Return the records of some global ids in order, None where there is none.

    Raises:
        GraphQLError: too many, or something that is no global id.
    """
    if len(ids) > IDS_MAX:
        raise GraphQLError(
            f"at most {IDS_MAX} ids, got {len(ids)}", extensions={"code": "PAGE_SIZE"}
        )
    context: RequestContext = info.context
    wanted: dict[type, dict[UUID, None]] = {}
    keys = []
    for text in ids:
        prefix, id_ = split_id(text)
        cls = context.schema.composition.nodes.get(prefix)
        if cls is None:
            raise bad_input(f"{text[:60]!r} is not an id that crmkit gave")
        wanted.setdefault(cls, {})[id_] = None
        keys.append((cls, id_))
    found = rows_by_id(info, {cls: list(some) for cls, some in wanted.items()})
    return [found.get(key) for key in keys]


def rows_by_id(
    info: Info[Any, Any], wanted: Mapping[type, Sequence[UUID]]
) -> dict[tuple[type, UUID], Any]:
    """Return rows by their type and stored id, with everything that the client selects of them.

    Raises:
        GraphQLError: the caller may not see objects of one of the types.
    """
    context: RequestContext = info.context
    context.require({permission_of(cls) for cls in wanted})
    if not wanted:
        return {}
    planned = context.planned_rows(info, wanted) if context.planned_rows is not None else None
    if planned is not None:
        return planned
    fetch = context.fetch(info)
    return {
        (cls, id_): each
        for cls, ids in wanted.items()
        for id_, each in fetch.nodes(info._raw_info, cls, ids).items()
    }
