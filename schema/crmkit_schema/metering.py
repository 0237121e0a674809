"""Measuring a document before anything expensive looks at it.

One pass over the syntax tree. A fragment is measured once however often it is spread: its sums are
added, never walked again, so a document of doubling fragments costs what its text costs.
Validation rules that take the square of the number of fields run only on what passed.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
)

from crmkit.document_settings import DocumentLimits
from crmkit_schema.costs import ONCE, Cost, Times, defaults_of, objects_in, times_of

_LEVELS_MAX = 150  # keeps this walk inside Python's own stack
_INTROSPECTION = frozenset({"__schema", "__type"})


@dataclass(slots=True)
class Measure:
    """What one selection set, with everything below it, amounts to.

    Attributes:
        names: how often each field occurs directly in it, fragments included.
    """

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    names: Counter[str] = field(default_factory=Counter)
    repeats: int = 0
    cost: Cost = field(default_factory=Cost)

    def include(self, other: "Measure") -> None:
        """Add a fragment that stands in this selection set."""
        self.depth = max(self.depth, other.depth)
        self.fields += other.fields
        self.aliases += other.aliases
        self.directives = max(self.directives, other.directives)
        self.names += other.names
        self.repeats = max(self.repeats, other.repeats)
        self.cost.parts.append((ONCE, other.cost))

    def put_below(self, other: "Measure", times: Times) -> None:
        """Add the selection set of a field of this one."""
        self.depth = max(self.depth, 1 + other.depth)
        self.fields += other.fields
        self.aliases += other.aliases
        self.directives = max(self.directives, other.directives)
        self.repeats = max(self.repeats, other.repeats)
        self.cost.parts.append((times, other.cost))


class Meter:
    """Measures the operations of one document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = {
            each.name.value: each
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }
        self._measured: dict[str, Measure] = {}
        self._open: set[str] = set()
        self._level = 0
        self.operations = {
            each.name.value if each.name else "": (each.operation, self._operation(each))
            for each in document.definitions
            if isinstance(each, OperationDefinitionNode)
        }
        for name in self._fragments:
            self._fragment(name)

    def check(self, limits: DocumentLimits) -> None:
        """Refuse a document with an operation, or an unused fragment, beyond the limits.

        Raises:
            GraphQLError: the first limit that is passed, by its own code.
        """
        for operation, measure in self.operations.values():
            roots = sum(measure.names.values())
            if operation is OperationType.MUTATION:
                _limit("MUTATION_LIMIT", "mutations", roots, limits.mutations_max)
            _limit("ROOT_FIELD_LIMIT", "root fields", roots, limits.root_fields_max)
        for measure in (*(m for _, m in self.operations.values()), *self._measured.values()):
            _limit("DEPTH_LIMIT", "levels", measure.depth, limits.depth_max)
            _limit("FIELD_LIMIT", "fields", measure.fields, limits.fields_max)
            _limit("ALIAS_LIMIT", "aliases", measure.aliases, limits.aliases_max)
            _limit("DIRECTIVE_LIMIT", "directives", measure.directives, limits.directives_max)
            _limit("REPEATED_FIELD_LIMIT", "times a field", measure.repeats, limits.repeats_max)

    def check_cost(
        self, operation_name: str, variables: Mapping[str, Any], limits: DocumentLimits
    ) -> int:
        """Return what an operation may cost, in objects.

        Raises:
            GraphQLError: more than the limit, code COST_LIMIT; or more objects are sent than
                their limit, code VARIABLES_LIMIT.
        """
        sent = objects_in(variables)
        _limit("VARIABLES_LIMIT", "objects in variables", sent, limits.variable_objects_max)
        _, measure = self.operations[operation_name]
        cost = measure.cost.of(variables, {})
        _limit("COST_LIMIT", "objects", cost, limits.cost_max)
        return cost

    def _operation(self, node: OperationDefinitionNode) -> Measure:
        root = self._schema.get_root_type(node.operation)
        measure = self._selection(node.selection_set, root)
        measure.directives = max(measure.directives, len(node.directives or ()))
        measure.cost.defaults = defaults_of(node)
        measure.cost.settle()
        return measure

    def _selection(self, node: SelectionSetNode | None, parent: Any) -> Measure:
        measure = Measure()
        self._level += 1
        _limit("DEPTH_LIMIT", "levels", self._level, _LEVELS_MAX)
        for each in node.selections if node else ():
            measure.directives = max(measure.directives, len(each.directives or ()))
            if isinstance(each, FieldNode):
                self._field(measure, each, parent)
            elif isinstance(each, InlineFragmentNode):
                condition = each.type_condition
                inner = self._type(condition.name.value) if condition else parent
                measure.include(self._selection(each.selection_set, inner))
            elif isinstance(each, FragmentSpreadNode):
                measure.include(self._fragment(each.name.value))
        measure.repeats = max(measure.repeats, max(measure.names.values(), default=0))
        self._level -= 1
        return measure

    def _field(self, measure: Measure, node: FieldNode, parent: Any) -> None:
        name = node.name.value
        measure.fields += 1
        measure.aliases += node.alias is not None
        measure.names[name] += 1
        if name in _INTROSPECTION or node.selection_set is None:
            measure.depth = max(measure.depth, 1)
            return
        found = (getattr(parent, "fields", None) or {}).get(name)
        below = self._selection(node.selection_set, get_named_type(found.type) if found else None)
        times = times_of(node, found)
        below.cost.objects += times is not None
        measure.put_below(below, times or ONCE)

    def _fragment(self, name: str) -> Measure:
        """Return a fragment's measure; one that contains itself is left to validation."""
        if name in self._measured:
            return self._measured[name]
        node = self._fragments.get(name)
        if node is None or name in self._open:
            return Measure()
        self._open.add(name)
        measure = self._selection(node.selection_set, self._type(node.type_condition.name.value))
        self._open.discard(name)
        self._measured[name] = measure
        return measure

    def _type(self, name: str) -> GraphQLNamedType | None:
        return self._schema.type_map.get(name)


def _limit(code: str, what: str, found: int, most: int) -> None:
    if found > most:
        shown = found if found < 10**9 else "very many"
        raise GraphQLError(
            f"at most {most} {what} are allowed here, this has {shown}",
            extensions={"code": code, "limit": most},
        )
