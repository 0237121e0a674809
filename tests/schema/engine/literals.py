"""How GraphQL writes values."""

from typing import Any

import orjson
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLList, GraphQLNonNull


def written(type_: Any, value: Any) -> str:
    """Return a JSON value as GraphQL writes it, by its type if that is known."""
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    if isinstance(type_, GraphQLList):
        if isinstance(value, list):
            return "[" + ", ".join(written(type_.of_type, each) for each in value) + "]"
        return written(type_.of_type, value)
    if isinstance(type_, GraphQLEnumType) and isinstance(value, str):
        return value
    if isinstance(value, dict):
        fields = type_.fields if isinstance(type_, GraphQLInputObjectType) else {}
        parts = (f"{n}: {written(getattr(fields.get(n), 'type', None), v)}" for n, v in
                 value.items())  # fmt: skip
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(None, each) for each in value) + "]"
    return orjson.dumps(value).decode()
