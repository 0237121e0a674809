"""Calling the methods of fields, as strawberry calls them, without graphql-core's executor."""

from typing import Any

from graphql import GraphQLObjectType, GraphQLResolveInfo
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path, is_awaitable
from strawberry.schema.schema_converter import get_arguments

from crmkit_schema.declarations import CrmField
from crmkit_schema.engine.running import Run
from crmkit_schema.engine.selecting import Selecting
from crmkit_schema.methods import computed
from crmkit_schema.selections import Selected


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
        return computed(declared, run.context, args, kwargs)

    def _by_strawberry(self, source: Any, info: GraphQLResolveInfo[Any], run: Run) -> Any:
        field = self.selected.field
        if field.resolve is None:
            raise TypeError(f"{self.selected.name} has no resolver")
        given = get_argument_values(field, self._nodes[0], run.variables) if field.args else {}
        return field.resolve(source, info, **given)
