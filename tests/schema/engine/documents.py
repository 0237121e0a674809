"""Random documents over a composed schema, drawn from a seed, valid more often than not."""

from random import Random
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)
from tests.schema.engine.arguments import Arguments
from tests.schema.engine.drafts import Draft, Drawn, declared
from tests.schema.engine.known_values import KnownValues

Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType
_LONG_KEY = "k" * 70
_WEIGHTS = {
    "customers": 8, "transactions": 6, "interactions": 4, "customer": 6, "transaction": 4,
    "modules": 1, "extrasStrict": 1, "extrasNumbers": 1, "extrasEcho": 1, "extrasBadge": 1,
    "node": 4, "nodes": 4,
}  # fmt: skip


class Documents:
    """Draws documents.

    Args:
        mutations: how often one writes, from 0 to 1.
    """

    def __init__(
        self, schema: GraphQLSchema, rng: Random, known: KnownValues, mutations: float
    ) -> None:
        self._schema, self._rng, self._known, self._mutations = schema, rng, known, mutations
        self._draft, self._arguments = Draft(), Arguments(rng, known)

    def draw(self) -> Drawn:
        """Return a document."""
        rng = self._rng
        self._draft, self._arguments = Draft(), Arguments(rng, self._known)
        is_mutation = rng.random() < self._mutations
        root: Any = self._schema.mutation_type if is_mutation else self._schema.query_type
        parts = []
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            weights = [_WEIGHTS.get(each, 2) for each in root.fields]
            name = rng.choices([*root.fields], weights)[0]
            if rng.random() < 0.1:
                parts.append("__typename")
            parts.append(self._wrapped(root, self._field(root, name, rng.randint(3, 6))))
        kind = "mutation" if is_mutation else "query"
        body = "{ " + " ".join(parts) + " }"
        variables = [declared(name, each) for name, each in self._arguments.variables.items()]
        head = f"{kind} Drawn({', '.join(variables)}) " if variables else f"{kind} Drawn "
        if not variables and not is_mutation and rng.random() < 0.2:
            head = ""
        name = None
        definitions = [head + body, *self._draft.fragments]
        if head and rng.random() < 0.1:
            name = "Drawn"
            definitions.insert(rng.randint(0, 1), "query Other { __typename }")
        text = "\n".join(definitions)
        return Drawn(text, name, is_mutation, self._arguments.variables)

    def values(self, drawn: Drawn) -> dict[str, Any]:
        """Return values for the variables of a document."""
        return Arguments(self._rng, self._known).values(drawn.variables)

    def _field(self, parent: Any, name: str, depth: int) -> str:
        declared = parent.fields[name]
        arguments = self._arguments.of(parent.name, name, declared)
        key, chance = "", self._rng.random()
        if chance < 0.1 or (arguments and chance < 0.8):
            self._draft.keys += 1
            key = f"k{self._draft.keys}: "
        if 0.1 < chance < 0.104:
            key = f"{_LONG_KEY}{self._draft.keys}: "
        head = f"{key}{name}{arguments}"
        self._draft.fields_left -= 1
        named: Any = get_named_type(declared.type)
        if is_leaf_type(named):
            return f"{head}{self._directive()}"
        text = f"{head}{self._directive()} {self.selections(named, depth - 1)}"
        if self._rng.random() < 0.08:  # the same field with other fields below, to be merged
            text += f" {head}{self._directive()} {self.selections(named, depth - 1)}"
        return text

    def selections(self, type_: Composite, depth: int) -> str:
        """Return what is selected of a type, in braces."""
        if is_abstract_type(type_):
            return self._of_abstract(type_, depth)
        assert isinstance(type_, GraphQLObjectType)
        parts = [
            "__typename" if name == "__typename" else self._field(type_, name, depth)
            for name in self._names(type_.fields, depth, type_.name)
        ]
        return self._joined(type_, parts)

    def _joined(self, type_: Composite, parts: list[str]) -> str:
        rng = self._rng
        parts = [self._wrapped(type_, each) for each in parts]
        known = self._draft.named.get(type_.name)
        if known and rng.random() < 0.3:
            parts.append(f"...{rng.choice(known)}{self._directive()}")
        if rng.random() < 0.1:
            parts.append(rng.choice(parts))  # the same again, to be merged
        return "{ " + " ".join(parts) + " }"

    def _of_abstract(self, type_: Any, depth: int) -> str:
        rng, parts = self._rng, []
        if isinstance(type_, GraphQLInterfaceType) and rng.random() < 0.6:
            parts += rng.sample(list(type_.fields), rng.randint(1, len(type_.fields)))
        if rng.random() < 0.6 or not parts:
            parts.append("__typename")
        possible = list(self._schema.get_possible_types(type_))
        for each in rng.sample(possible, rng.randint(0, min(3, len(possible)))):
            parts.append(f"... on {each.name}{self._directive()} {self.selections(each, depth)}")
        success = next((each for each in possible if each.name.endswith("Success")), None)
        if success and rng.random() < 0.8:
            parts.append(f"... on {success.name} {self.selections(success, depth)}")
        if isinstance(type_, GraphQLUnionType) and rng.random() < 0.3:
            shared = [each for each in possible if any(i.name == "Problem" for i in
                                                       each.interfaces)]  # fmt: skip
            parts += ["... on Problem { code message __typename }"] if shared else []
        rng.shuffle(parts)
        return self._joined(type_, parts)

    def _names(self, fields: dict[str, GraphQLField], depth: int, type_name: str) -> list[str]:
        rng = self._rng
        leaves = [n for n, f in fields.items() if is_leaf_type(get_named_type(f.type))]
        others = [n for n in fields if n not in leaves]
        chosen = rng.sample(leaves, min(len(leaves), rng.randint(1, 4)))
        holds_rows = type_name.endswith(("Connection", "Edge", "Row", "Success"))
        if others and self._draft.fields_left > 0 and (depth > 0 or (holds_rows and depth > -3)):
            chosen += rng.sample(others, min(len(others), rng.randint(1, 2)))
            if "extras" in others and "extras" not in chosen and rng.random() < 0.3:
                chosen.append("extras")
        if rng.random() < 0.15 or not chosen:
            chosen.append("__typename")
        rng.shuffle(chosen)
        return chosen

    def _wrapped(self, type_: Any, text: str) -> str:
        chance = self._rng.random()
        if chance < 0.05:
            name = f"F{len(self._draft.fragments)}"
            self._draft.fragments.append(
                f"fragment {name} on {self._condition(type_, text)} {{ {text} }}"
            )
            self._draft.named.setdefault(type_.name, []).append(name)
            return f"...{name}{self._directive()}"
        if chance < 0.1:
            on = f" on {self._condition(type_, text)}" if chance < 0.08 else ""
            return f"...{on}{self._directive()} {{ {text} }}"
        if chance < 0.12:  # an interface around a condition on the type itself
            for each in getattr(type_, "interfaces", ()):
                return f"... on {each.name} {{ ... on {type_.name} {{ {text} }} __typename }}"
        return text

    def _condition(self, type_: Any, text: str) -> str:
        """Return the type of a fragment: an interface, if the text is one of its plain fields."""
        for each in getattr(type_, "interfaces", ()):
            if text in each.fields:
                return str(each.name)
        return str(type_.name)

    def _directive(self) -> str:
        if self._rng.random() > 0.05:
            return ""
        name = self._rng.choice(("skip", "include"))
        made = f" @{name}(if: {self._truth()})"
        if self._rng.random() < 0.1:
            made += f" @{'include' if name == 'skip' else 'skip'}(if: {self._truth()})"
        return made

    def _truth(self) -> str:
        if self._rng.random() < 0.3:
            return self._rng.choice(("true", "false"))
        return self._arguments.variable(GraphQLNonNull(GraphQLBoolean), "directive", "if")
