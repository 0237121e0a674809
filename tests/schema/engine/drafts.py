"""Documents while they are drawn, and when they are done."""

from dataclasses import dataclass, field

from tests.schema.engine.arguments import Variable, Variables


@dataclass(frozen=True, slots=True)
class Drawn:
    """A document, of which one operation is to be run.

    Attributes:
        variables: those that the operation declares.
    """

    text: str
    operation_name: str | None
    is_mutation: bool
    variables: Variables


@dataclass
class Draft:
    """A document being drawn.

    Attributes:
        named: fragments that are complete, by the type they are on.
    """

    fragments: list[str] = field(default_factory=list)
    named: dict[str, list[str]] = field(default_factory=dict)
    keys: int = 0
    fields_left: int = 60


def declared(name: str, variable: Variable) -> str:
    """Return the declaration of a variable."""
    default = f" = {variable.default}" if variable.default else ""
    return f"${name}: {variable.type}{default}"
