"""Arguments are what strawberry would make of the same values."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
)
from strawberry.types.arguments import convert_arguments

from crmkit import Crm
from crmkit_schema.engine.input_values import InputValues
from crmkit_schema.runtime import ComposedSchema

_BACKREF = "strawberry-definition"


@pytest.fixture
def schema(crm_factory: Any) -> ComposedSchema:
    crm: Crm = crm_factory("loyalty")
    return ComposedSchema(crm)


def fields_with_arguments(schema: ComposedSchema) -> Iterator[tuple[str, Any, Any]]:
    for type_ in schema.schema._schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            for name, field in type_.fields.items():
                declared = field.extensions.get(_BACKREF)
                if field.args and declared is not None:
                    yield f"{type_.name}.{name}", field, declared


def some_value(random: Random, type_: Any, depth: int = 0) -> Any:
    """Return a coerced value of an input type, as graphql-core gives it to resolvers."""
    if isinstance(type_, GraphQLNonNull):
        return some_value(random, type_.of_type, depth)
    if random.random() < 0.15:
        return None
    if isinstance(type_, GraphQLList):
        return [some_value(random, type_.of_type, depth + 1) for _ in range(random.randrange(3))]
    if isinstance(type_, GraphQLEnumType):
        return random.choice(list(type_.values.values())).value
    if isinstance(type_, GraphQLInputObjectType):
        return {
            name: some_value(random, field.type, depth + 1)
            for name, field in type_.fields.items()
            if random.random() < (0.6 if depth < 6 else 0.1)
        }
    return f"{type_.name} {random.random()}"


def given(random: Random, arguments: dict[str, GraphQLArgument]) -> dict[str, Any]:
    return {
        name: some_value(random, argument.type)
        for name, argument in arguments.items()
        if random.random() < 0.8
    }


@pytest.mark.parametrize("seed", range(5))
def test_they_equal_strawberrys_for_every_field(schema: ComposedSchema, seed: int) -> None:
    random, inputs = Random(seed), InputValues(schema.schema)
    config, scalars = schema.schema.config, schema.schema.schema_converter.scalar_registry
    seen = 0
    for name, field, declared in fields_with_arguments(schema):
        for _ in range(20):
            values = given(random, field.args)
            ours = inputs.arguments(declared.arguments, values)
            theirs = convert_arguments(values, declared.arguments, scalars, config)
            assert ours == theirs, name
            assert repr(ours) == repr(theirs), name
            seen += 1
    assert seen > 300


def test_lists_are_never_those_of_the_request(schema: ComposedSchema) -> None:
    inputs = InputValues(schema.schema)
    sent = ["a", "b"]
    convert = inputs.converter(_type_of_ids(schema))

    assert convert is not None
    assert convert(sent) == sent
    assert convert(sent) is not sent


def _type_of_ids(schema: ComposedSchema) -> Any:
    nodes = schema.schema._schema.query_type.fields["nodes"]  # type: ignore[union-attr]
    return nodes.extensions[_BACKREF].arguments[0].type
