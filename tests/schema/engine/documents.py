"""Random queries over a composed schema, drawn from a seed, valid more often than not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)

LEFT_OUT = frozenset({"node", "nodes", "modules"})
Values = Mapping[str, Sequence[Any]]
"""Values that occur in the data, by the name of the scalar or of the argument."""


@dataclass
class Draft:
    """A query being drawn.

    Attributes:
        variables: type and value by name; the value is left out if None stands for it.
    """

    fragments: list[str] = field(default_factory=list)
    variables: dict[str, tuple[str, Any]] = field(default_factory=dict)
    conditions: int = 0
    keys: int = 0


class Documents:
    """Draws queries.

    Args:
        values: what arguments may be, beside made-up values.
        cursors: cursors by type name and order argument.
    """

    def __init__(self, schema: GraphQLSchema, rng: Random, values: Values) -> None:
        assert schema.query_type is not None
        self._query, self._rng, self._values = schema.query_type, rng, values
        self._draft = Draft()

    def draw(self) -> tuple[str, dict[str, tuple[str, Any]]]:
        """Return a query and its variables: type and one value by name."""
        self._draft = draft = Draft()
        roots = [
            self._field(self._query, self._root(), 4) for _ in range(self._rng.choice((1, 1, 2)))
        ]
        body = "{ " + " ".join(roots) + " }"
        declared = []
        for name, (type_, _) in draft.variables.items():
            default = " = true" if type_ == "Boolean" and self._rng.random() < 0.3 else ""
            declared.append(f"${name}: {type_}{default}")
        head = f"query Drawn({', '.join(declared)}) " if declared else "query Drawn "
        return "\n".join([head + body, *draft.fragments]), draft.variables

    def redraw(self, variables: Mapping[str, tuple[str, Any]]) -> dict[str, Any]:
        """Return other values for the variables of a query."""
        return {
            name: value if self._rng.random() < 0.5 else self._again(type_, value)
            for name, (type_, value) in variables.items()
            if not (type_ == "Boolean" and self._rng.random() < 0.1)
        }

    def _again(self, type_: str, value: Any) -> Any:
        if type_ == "Boolean!" or type_ == "Boolean":
            return self._rng.random() < 0.5
        if isinstance(value, int):
            return self._rng.randint(1, 6)
        same = next((some for some in self._values.values() if value in some), None)
        return self._rng.choice(list(same)) if same else value

    def _root(self) -> str:
        return str(self._rng.choice([n for n in self._query.fields if n not in LEFT_OUT]))

    def _field(self, parent: GraphQLObjectType, name: str, depth: int) -> str:
        declared = parent.fields[name]
        arguments = self._arguments(parent, name, declared)
        alias = ""
        if arguments or self._rng.random() < 0.2:
            self._draft.keys += 1
            alias = f"k{self._draft.keys}: "
        text = f"{alias}{name}{arguments}{self._directive()}"
        named = get_named_type(declared.type)
        if is_leaf_type(named):
            return text
        assert isinstance(named, GraphQLObjectType)
        return f"{text} {self._selections(named, depth - 1)}"

    def _selections(self, type_: GraphQLObjectType, depth: int) -> str:
        rng = self._rng
        leaves = [n for n, f in type_.fields.items() if is_leaf_type(get_named_type(f.type))]
        others = [n for n in type_.fields if n not in leaves]
        chosen = rng.sample(leaves, min(len(leaves), rng.randint(1, 4)))
        is_page = type_.name.endswith(("Connection", "Edge"))
        if others and (depth > 0 or is_page):
            chosen += rng.sample(others, min(len(others), rng.randint(1, 2)))
        if rng.random() < 0.15 or not chosen:
            chosen.append("__typename")
        rng.shuffle(chosen)
        parts = []
        for name in chosen:
            made = name if name == "__typename" else self._field(type_, name, depth)
            parts.append(self._wrapped(type_, made))
        if rng.random() < 0.1:
            parts.append(rng.choice(parts))  # the same again, to be merged
        return "{ " + " ".join(parts) + " }"

    def _wrapped(self, type_: GraphQLObjectType, text: str) -> str:
        chance = self._rng.random()
        if chance < 0.06:
            name = f"F{len(self._draft.fragments)}"
            self._draft.fragments.append(f"fragment {name} on {type_.name} {{ {text} }}")
            return f"...{name}{self._directive()}"
        if chance < 0.12:
            condition = f" on {type_.name}" if chance < 0.1 else ""
            return f"...{condition}{self._directive()} {{ {text} }}"
        return text

    def _directive(self) -> str:
        if self._rng.random() > 0.06:
            return ""
        name = self._rng.choice(("skip", "include"))
        if self._rng.random() < 0.3:
            return f" @{name}(if: {self._rng.choice(('true', 'false'))})"
        self._draft.conditions += 1
        variable = f"b{self._draft.conditions}"
        self._draft.variables[variable] = ("Boolean!", self._rng.random() < 0.5)
        return f" @{name}(if: ${variable})"

    def _arguments(self, parent: GraphQLObjectType, name: str, declared: GraphQLField) -> str:
        if not declared.args:
            return ""
        if "first" in declared.args:
            return self._page(name, declared)
        chosen = self._rng.choice(list(declared.args))
        known = self._values.get(f"{name} {chosen}")
        if known:
            value = self._variable(str(declared.args[chosen].type), self._rng.choice(list(known)))
        else:
            value = self._literal(declared.args[chosen].type, chosen, 2)
        return f"({chosen}: {value})"

    def _page(self, name: str, declared: GraphQLField) -> str:
        rng, given = self._rng, []
        backwards = rng.random() < 0.3
        if rng.random() < 0.7:
            size = self._variable("Int", rng.randint(1, 6))
            given.append(f"{'last' if backwards else 'first'}: {size}")
        order = ""
        if "orderBy" in declared.args and rng.random() < 0.35:
            order = self._literal(declared.args["orderBy"].type, "orderBy", 2)
            given.append(f"orderBy: {order}")
        if "filter" in declared.args and rng.random() < 0.4:
            given.append(f"filter: {self._literal(declared.args['filter'].type, 'filter', 3)}")
        cursors = self._values.get(f"cursor {get_named_type(declared.type).name} {order}", ())
        if cursors and rng.random() < 0.3:
            cursor = self._variable("String", rng.choice(list(cursors)))
            given.append(f"{'before' if backwards else 'after'}: {cursor}")
        return f"({', '.join(given)})" if given else ""

    def _literal(self, type_: GraphQLInputType, name: str, depth: int) -> str:
        """Return a value of an input type as it stands in a document, or a variable."""
        rng = self._rng
        bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        if isinstance(bare, GraphQLList):
            some = [self._literal(bare.of_type, name, depth - 1) for _ in range(rng.randint(0, 3))]
            return "[" + ", ".join(some) + "]"
        if isinstance(bare, GraphQLEnumType):
            return str(rng.choice(list(bare.values)))
        if isinstance(bare, GraphQLInputObjectType):
            return self._object(bare, name, depth)
        values = list(self._values.get(f"{name} {bare}", ()) or self._values.get(str(bare), ()))
        value = rng.choice(values) if values else rng.randint(0, 5)
        return self._variable(str(type_), value)

    def _object(self, type_: GraphQLInputObjectType, name: str, depth: int) -> str:
        required = [n for n, f in type_.fields.items() if isinstance(f.type, GraphQLNonNull)]
        optional = [
            n
            for n, f in type_.fields.items()
            if n not in required and (depth > 1 or n not in ("and", "or", "not"))
        ]
        count = self._rng.randint(0 if required else 1, 2)
        chosen = required + self._rng.sample(optional, min(len(optional), count))
        parts = [f"{n}: {self._literal(type_.fields[n].type, n, depth - 1)}" for n in chosen]
        return "{" + ", ".join(parts) + "}"

    def _variable(self, type_: str, value: Any) -> str:
        """Return a value as a literal, or as a variable of its own."""
        if self._rng.random() < 0.5:
            return _written(value)
        name = f"v{len(self._draft.variables)}"
        self._draft.variables[name] = (type_, value)
        return f"${name}"


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    return str(value)
