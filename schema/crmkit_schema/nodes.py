"""Records by global id."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from graphql import GraphQLError
from strawberry import Info

from crmkit_schema.context import RequestContext
from crmkit_schema.object_types import split_id
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
    by_class: dict[type, list[UUID]] = {}
    keys = []
    for text in ids:
        prefix, id_ = split_id(text)
        cls = context.schema.composition.nodes.get(prefix)
        if cls is None:
            raise bad_input(f"{text[:60]!r} is not an id that crmkit gave")
        by_class.setdefault(cls, []).append(id_)
        keys.append((cls, id_))
    found = {
        (cls, id_): each
        for cls, some in by_class.items()
        for id_, each in context.fetch(info)
        .nodes(info._raw_info, cls, list(dict.fromkeys(some)))
        .items()
    }
    return [found.get(key) for key in keys]
