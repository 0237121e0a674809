"""Calling the methods of fields, as strawberry calls them, without graphql-core's executor."""

from typing import TYPE_CHECKING, Any

from graphql import GraphQLObjectType, GraphQLResolveInfo
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path, is_awaitable
from strawberry import Info
from strawberry.schema.schema_converter import get_arguments

from crmkit_schema.computing import compute
from crmkit_schema.declarations import CrmField
from crmkit_schema.engine.running import Run
from crmkit_schema.engine.selecting import Selecting
from crmkit_schema.selections import Selected

if TYPE_CHECKING:
    from crmkit_schema.context import RequestContext


class Method:
    """A field that is a method, ready to be called for one object or for many.

    Attributes:
        key: of the field in the answer.
        parent: type of the objects it belongs to.
    """

    def __init__(
        self, selecting: Selecting, parent: GraphQLObjectType, key: str, selected: Selected
    ) -> None:
        self.key, self.parent, self.selected = key, parent, selected
        self._selecting = selecting
        self._nodes = [each.node for each in selected.details]

    def raw_info(self, run: Run) -> GraphQLResolveInfo[Any]:
        """Return what graphql-core would tell; the path has no positions in lists."""
        return GraphQLResolveInfo(
            self.selected.name,
            self._nodes,
            self.selected.field.type,
            self.parent,
            Path(None, self.key, self.parent.name),
            self._selecting.schema,
            self._selecting.fragments,
            None,
            self._selecting.operation,
            run.variables,
            run.context,
            is_awaitable,
            None,
            None,  # type: ignore[arg-type]
        )

    def arguments(
        self, source: Any, info: GraphQLResolveInfo[Any], run: Run
    ) -> tuple[list[Any], dict[str, Any]]:
        """Return what the method is called with.

        Raises:
            Exception: the client's values cannot be made arguments.
        """
        schema = run.context.schema.schema
        given: dict[str, Any] = {}
        if self.selected.field.args:
            hide = run.context.is_production
            given = get_argument_values(
                self.selected.field, self._nodes[0], run.variables, None, hide
            )
        declared = self.selected.declared
        args, kwargs = get_arguments(
            field=declared,
            source=source,
            info=schema.config.info_class(_raw_info=info, _field=declared),
            kwargs={},
            config=schema.config,
            scalar_registry=schema.schema_converter.scalar_registry,
        )
        return args, {**run.context.schema.inputs.arguments(declared.arguments, given), **kwargs}

    def call(self, source: Any, info: GraphQLResolveInfo[Any], run: Run) -> Any:
        """Return what the method of an object gives.

        Raises:
            Exception: the arguments are wrong, or the method raised.
        """
        declared = self.selected.declared
        if not isinstance(declared, CrmField):
            return self._by_strawberry(source, info, run)
        args, kwargs = self.arguments(source, info, run)

        def work(own: "RequestContext") -> Any:
            told = {name: _of_context(each, own) for name, each in kwargs.items()}
            return called(declared, args, told)

        return compute(declared, run.context, work)

    def _by_strawberry(self, source: Any, info: GraphQLResolveInfo[Any], run: Run) -> Any:
        field = self.selected.field
        if field.resolve is None:
            raise TypeError(f"{self.selected.name} has no resolver")
        given = get_argument_values(field, self._nodes[0], run.variables) if field.args else {}
        return field.resolve(source, info, **given)


def called(declared: CrmField, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Call the function that a field decorates."""
    if declared.base_resolver is None:
        raise TypeError(f"{declared.python_name} decorates no function")
    return declared.base_resolver(*args, **kwargs)


def _of_context(value: Any, context: "RequestContext") -> Any:
    """Return what a function is told, with a context of its own where that is the request's."""
    if not isinstance(value, Info) or value.context is context:
        return value
    return type(value)(value._raw_info._replace(context=context), value._field)
