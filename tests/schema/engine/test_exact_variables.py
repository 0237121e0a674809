"""Variables are what graphql-core makes of them, or left to it."""

from random import Random
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    is_input_type,
    parse,
)
from graphql.execution.values import VariableValues, get_variable_values

from crmkit_schema.engine.exact_variables import ExactVariables, Unusual
from crmkit_schema.runtime import ComposedSchema

SCHEMA = build_schema("""
    scalar Anything
    enum Colour { RED BLUE }
    input Inner { a: Int! = 3, b: [String!] = ["x"], c: Colour = RED, deeper: Inner }
    input Outer { id: ID!, inner: Inner, list: [[Int]], flag: Boolean }
    input OneOf @oneOf { a: Int, b: String }
    type Query { a: Int }
""")
STRANGE: tuple[Any, ...] = (
    None,
    True,
    0,
    1,
    -1,
    2**31,
    1.0,
    1.5,
    float("nan"),
    "",
    "RED",
    "x\0",
    [],
    ["a"],
    {},
    {"a": 1},
)


def operation(types: str) -> OperationDefinitionNode:
    node = parse(f"query({types}) {{ a }}").definitions[0]
    assert isinstance(node, OperationDefinitionNode)
    return node


def both(
    schema: GraphQLSchema, node: OperationDefinitionNode, given: dict[str, Any]
) -> tuple[Any, Any]:
    """Return what graphql-core makes of variables, and what the quick way does, if anything."""
    theirs = get_variable_values(schema, node.variable_definitions or (), given)
    try:
        return theirs, ExactVariables(schema).coerced(node, given)
    except Unusual:
        return theirs, None


def require_equal(theirs: Any, ours: Any) -> None:
    assert isinstance(theirs, VariableValues)
    assert repr(ours.coerced) == repr(theirs.coerced)
    assert list(ours.sources) == list(theirs.sources)
    assert [each.value for each in ours.sources.values()] == [
        each.value for each in theirs.sources.values()
    ]
    assert [str(each.signature.type) for each in ours.sources.values()] == [
        str(each.signature.type) for each in theirs.sources.values()
    ]


@pytest.mark.parametrize(
    "type_",
    [
        "Int",
        "Int!",
        "Float!",
        "String",
        "ID!",
        "Boolean",
        "Colour!",
        "[Int!]",
        "Inner!",
        "OneOf",
        "Anything!",
        "[Anything!]",
        "Anything",
    ],
)
@pytest.mark.parametrize("value", STRANGE, ids=repr)
def test_strange_values_are_never_taken_otherwise(type_: str, value: Any) -> None:
    theirs, ours = both(SCHEMA, operation(f"$v: {type_}"), {"v": value})

    if ours is not None:
        require_equal(theirs, ours)


@pytest.mark.parametrize(
    ("types", "given", "is_quick"),
    [
        ("$v: Outer!", {"v": {"id": "a", "inner": None, "list": [[1, None], None]}}, True),
        ("$v: Inner", {"v": {"b": ["y"], "deeper": {"b": [], "c": "BLUE", "a": 1}}}, True),
        ("$v: Inner", {"v": {}}, False),  # the default of b is a list, of which each needs its own
        ("$v: Outer!", {"v": {"id": "a", "unknown": 1}}, False),
        ("$v: Outer!", {"v": {}}, False),
        ("$v: ID!", {"v": 7}, False),
        ("$v: [Int]", {"v": 7}, False),
        ("$v: Int, $w: Int", {"v": 7, "other": 1}, True),
        ("$v: Int = 5", {}, False),
        ("$v: Int = 5", {"v": None}, True),
        ("$v: Int!", {}, False),
    ],
)
def test_what_is_plainly_right_is_quick(types: str, given: dict[str, Any], is_quick: bool) -> None:
    theirs, ours = both(SCHEMA, operation(types), given)

    assert (ours is not None) == is_quick
    if ours is not None:
        require_equal(theirs, ours)


def some_value(random: Random, type_: Any, depth: int = 0) -> Any:
    """Return JSON for an input type, mostly right."""
    if random.random() < 0.02:
        return random.choice(STRANGE)
    if isinstance(type_, GraphQLNonNull):
        return some_value(random, type_.of_type, depth)
    if random.random() < 0.1:
        return None
    if isinstance(type_, GraphQLList):
        return [some_value(random, type_.of_type, depth + 1) for _ in range(random.randrange(3))]
    if isinstance(type_, GraphQLEnumType):
        return random.choice(list(type_.values))
    if isinstance(type_, GraphQLInputObjectType):
        return {
            name: some_value(random, field.type, depth + 1)
            for name, field in type_.fields.items()
            if isinstance(field.type, GraphQLNonNull)
            or random.random() < (0.6 if depth < 5 else 0.1)
        }
    return {
        "Int": random.randrange(-9, 9),
        "Float": random.random(),
        "Boolean": random.random() < 0.5,
        "Date": "2026-02-28",
        "DateTime": "2026-02-28T10:00:00Z",
        "Decimal": "12.50",
    }.get(type_.name, f"text {random.random()}")


def test_every_input_type_of_every_plugin_is_coerced_alike(crm_factory: Any) -> None:
    schema = ComposedSchema(crm_factory("loyalty")).schema._schema
    random, quick = Random(7), 0
    types: list[Any] = [each for each in schema.type_map.values() if is_input_type(each)]
    for type_ in types:
        node = operation(f"$v: {type_.name}")
        for _ in range(40):
            theirs, ours = both(schema, node, {"v": some_value(random, type_)})
            if ours is not None:
                quick += 1
                require_equal(theirs, ours)
    assert quick > 20 * len(types)
