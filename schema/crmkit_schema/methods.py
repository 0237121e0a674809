"""Calling what fields decorate."""

from typing import TYPE_CHECKING, Any

from strawberry import Info

from crmkit_schema.computing import compute
from crmkit_schema.declarations import CrmField

if TYPE_CHECKING:
    from crmkit_schema.context import RequestContext


def called(declared: CrmField, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Return what the function of a field gives, however long it takes."""
    if declared.base_resolver is None:
        raise TypeError(f"{declared.python_name} decorates no function")
    return declared.base_resolver(*args, **kwargs)


def computed(
    declared: CrmField, context: "RequestContext", args: list[Any], kwargs: dict[str, Any]
) -> Any:
    """Return what the function of a field gives that only reads, which may be given up.

    Raises:
        GraphQLError: it was given up.
        Exception: what the function raises.
    """

    def work(own: "RequestContext") -> Any:
        told = {name: _of_context(each, own) for name, each in kwargs.items()}
        return called(declared, args, told)

    return compute(declared, context, work)


def _of_context(value: Any, context: "RequestContext") -> Any:
    """Return what a function is told, with a context of its own where that is the request's."""
    if not isinstance(value, Info) or value.context is context:
        return value
    return type(value)(value._raw_info._replace(context=context), value._field)
