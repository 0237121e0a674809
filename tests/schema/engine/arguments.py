"""Arguments of random documents, as literals and as variables that can be drawn again."""

from collections.abc import Mapping
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
    get_named_type,
    get_nullable_type,
    is_required_argument,
    is_required_input_field,
)
from tests.schema.engine.known_values import WRONG, KnownValues
from tests.schema.engine.literals import written

_LOGICAL = ("and", "or", "not", "below")


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a document.

    Attributes:
        owner: field or input type where it is used, with `name` what it is the value of.
        default: literal; empty if there is none.
    """

    type: GraphQLInputType
    owner: str
    name: str
    default: str = ""

    @property
    def may_be_absent(self) -> bool:
        """Whether a request may leave it out."""
        return bool(self.default) or not isinstance(self.type, GraphQLNonNull)


Variables = dict[str, Variable]


@dataclass
class Arguments:
    """Draws arguments.

    Attributes:
        variables: those of the document being drawn.
    """

    rng: Random
    known: KnownValues
    variables: Variables = field(default_factory=dict)

    def of(self, parent: str, name: str, declared: GraphQLField) -> str:
        """Return the arguments of a field in brackets, or nothing."""
        if "first" in declared.args:
            parts = self._page(name, declared)
        else:
            parts = self._some(name, declared)
        return f"({', '.join(parts)})" if parts else ""

    def values(self, variables: Mapping[str, Variable]) -> dict[str, Any]:
        """Return values of variables, some absent, and now and then null, missing or wrong."""
        found, is_odd = {}, self.rng.random() < 0.12
        for name, each in variables.items():
            chance = self.rng.random()
            if each.may_be_absent and chance < 0.1:
                continue
            if not is_odd or chance > 0.5:
                found[name] = self.value(each.type, each.owner, each.name, 3)
            elif chance > 0.3:
                found[name] = self.rng.choice(WRONG)
            elif chance > 0.15:
                found[name] = None
        return found

    def value(self, type_: GraphQLInputType, owner: str, name: str, depth: int) -> Any:
        """Return a value of an input type as it stands in JSON."""
        bare, rng = get_nullable_type(type_), self.rng
        if bare is type_ and rng.random() < 0.04:
            return None
        if isinstance(bare, GraphQLList):
            count = rng.choice((0, 1, 1, 2, 3))
            several = [self.value(bare.of_type, owner, name, depth - 1) for _ in range(count)]
            return several[0] if count == 1 and rng.random() < 0.2 else several
        if isinstance(bare, GraphQLInputObjectType):
            return {
                each: self.value(bare.fields[each].type, bare.name, each, depth - 1)
                for each in self._chosen(bare, depth)
            }
        known = self.known.pool(owner, name, str(bare))
        if not known and isinstance(bare, GraphQLEnumType):
            known = list(bare.values)
        return rng.choice(known) if known else rng.randint(0, 5)

    def literal(self, type_: GraphQLInputType, owner: str, name: str, depth: int) -> str:
        """Return a value as it stands in a document, with variables here and there."""
        bare, rng = get_nullable_type(type_), self.rng
        if rng.random() < 0.3:
            return self.variable(type_, owner, name)
        if isinstance(bare, GraphQLList):
            count = rng.choice((0, 1, 1, 2, 3))
            some = [self.literal(bare.of_type, owner, name, depth - 1) for _ in range(count)]
            is_bare = count == 1 and some[0][0] != "$" and rng.random() < 0.1
            return some[0] if is_bare else f"[{', '.join(some)}]"
        if isinstance(bare, GraphQLInputObjectType):
            parts = [
                f"{n}: {self.literal(bare.fields[n].type, bare.name, n, depth - 1)}"
                for n in self._chosen(bare, depth)
            ]
            return "{" + ", ".join(parts) + "}"
        return written(bare, self.value(type_, owner, name, depth))

    def variable(self, type_: GraphQLInputType, owner: str, name: str) -> str:
        """Return a new variable, of the type wanted, a stricter one, or with a default."""
        chance, default = self.rng.random(), ""
        bare: Any = get_nullable_type(type_)
        if chance < 0.15:
            type_ = GraphQLNonNull(bare)
        elif chance < 0.4:
            default = written(bare, self.value(GraphQLNonNull(bare), owner, name, 2))
            type_ = bare if self.rng.random() < 0.7 else type_
        made = f"v{len(self.variables)}"
        self.variables[made] = Variable(type_, owner, name, default)
        return f"${made}"

    def _some(self, name: str, declared: GraphQLField) -> list[str]:
        required = [n for n, a in declared.args.items() if is_required_argument(a)]
        others = [n for n in declared.args if n not in required]
        is_look_up = len(others) > 1 and not required and name != "extrasEcho"
        count = 1 if is_look_up and self.rng.random() < 0.95 else self.rng.randint(0, len(others))
        chosen = [*required, *self.rng.sample(others, count)]
        return [f"{n}: {self.literal(declared.args[n].type, name, n, 3)}" for n in chosen]

    def _page(self, name: str, declared: GraphQLField) -> list[str]:
        rng, given = self.rng, []
        backwards = rng.random() < 0.3
        if rng.random() < 0.85:
            size = "last" if backwards else "first"
            given.append(f"{size}: {self._size(declared.args[size].type)}")
        order = ""
        if "orderBy" in declared.args and rng.random() < 0.35:
            wanted: Any = get_nullable_type(declared.args["orderBy"].type)
            chosen = self.value(GraphQLNonNull(wanted), name, "orderBy", 2)
            order = self._order_name(wanted, chosen)
            given.append(f"orderBy: {written(wanted, chosen)}")
        if "filter" in declared.args and rng.random() < 0.4:
            given.append(f"filter: {self.literal(declared.args['filter'].type, name, 'filter', 4)}")
        type_name = get_named_type(declared.type).name.removesuffix("Connection")
        cursor = self.known.cursor(rng, type_name.removeprefix("Extras"), order)
        if cursor is not None and rng.random() < 0.3:
            side = "before" if backwards is (rng.random() < 0.97) else "after"
            given.append(f"{side}: {written(None, cursor)}")
        rng.shuffle(given)
        return given

    def _size(self, type_: GraphQLInputType) -> str:
        self_chosen = self.rng.random()
        if self_chosen < 0.35:
            return self.variable(type_, "page", "size")
        return "null" if self_chosen < 0.37 else str(self.rng.choice((1, 2, 3, 4, 5, 9)))

    def _order_name(self, type_: Any, chosen: Mapping[str, Any]) -> str:
        fields = get_nullable_type(type_.fields["field"].type).values
        path = getattr(fields[chosen["field"]].value, "value", fields[chosen["field"]].value)
        return f" {path} {chosen.get('direction', 'ASC').lower()}"

    def _chosen(self, type_: GraphQLInputObjectType, depth: int) -> list[str]:
        rng, fields = self.rng, type_.fields
        required = [n for n, f in fields.items() if is_required_input_field(f)]
        optional = [n for n in fields if n not in required and (depth > 1 or n not in _LOGICAL)]
        most = 2 if "Filter" in type_.name else max(2, len(optional) // 3)
        least = 0 if required or rng.random() < 0.05 else 1
        count = rng.randint(least, min(most, len(optional)))
        chosen = required + rng.sample(optional, count)
        if type_.name == "CustomerRefInput" and len(chosen) != 1 and rng.random() < 0.9:
            return [rng.choice(("id", "externalId"))]
        return chosen
