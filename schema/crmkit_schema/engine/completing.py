"""What graphql-core asks of a value before it takes it for one of a type."""

from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    Undefined,
)
from graphql.pyutils import inspect


def leaf_of(type_: GraphQLLeafType, value: Any) -> Any:
    """Return a value as a scalar or enum writes it.

    Raises:
        Exception: it is none of the type.
    """
    made = type_.coerce_output_value(value)
    if made is Undefined or made is None:
        raise TypeError(
            f"Expected `{type_}.coerce_output_value({inspect(value)})` to return non-nullable"
            f" value, returned: {made}"
        )
    return made


def type_of(
    schema: GraphQLSchema, type_: GraphQLOutputType, value: Any, info: GraphQLResolveInfo[Any]
) -> GraphQLObjectType:
    """Return the type of an object, where one of `type_` is wanted.

    Raises:
        Exception: it has none that may stand there.
    """
    if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
        name = type_.resolve_type(value, info, type_) if type_.resolve_type else None
        found = schema.get_type(str(name))
        if not isinstance(found, GraphQLObjectType):
            raise GraphQLError(f"{type_} was resolved to no object type")
        if not schema.is_sub_type(type_, found):
            raise GraphQLError(
                f"Runtime Object type '{found}' is not a possible type for '{type_}'."
            )
        type_ = found
    if not isinstance(type_, GraphQLObjectType):
        raise TypeError(f"{type_} is no object type")
    if type_.is_type_of and not type_.is_type_of(value, info):
        raise GraphQLError(f"Expected value of type '{type_}' but got: {inspect(value)}.")
    return type_
