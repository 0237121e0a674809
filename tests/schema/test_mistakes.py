"""A mistake in a contribution stops the start, and says whose it is and where."""

from typing import Annotated, Any

import pytest
import strawberry

from contributions import (
    First,
    Tagged,
    asking,
    extending,
    field_named,
    one_each,
    refusal,
    typed,
    value_named,
)
from crmkit import SchemaContribution, models
from crmkit_schema import (
    PUBLIC,
    Connection,
    computed,
    connection,
    found_by,
    mapped,
    related,
    resolved,
)

LAZY: Any = Annotated["Nope", strawberry.lazy("crmkit_schema.values")]  # noqa: F821
WRONG = {
    "no permission": (extending("extra", computed("T.", one_each)), "Customer.extra declares no"),
    "plain field": (extending("extra", strawberry.field(description="T.")), "has no permission"),
    "unknown permission": (
        extending("extra", computed("T.", one_each, permission="no.such")),
        "'no.such'",
    ),
    "unknown permission of a type": (typed(permission="no.such"), "type 'Thing'"),
    "unknown permission inside": (
        typed(more=(str | None, mapped("T.", column="tag", permission="no.such"))),
        "Thing.more",
    ),
    "no description": (
        extending("extra", computed(" ", one_each, permission=PUBLIC)),
        "Customer.extra has no description",
    ),
    "no description of a type": (typed(doc=""), "type 'Thing' has no description"),
    "no such type": (SchemaContribution(extends={"Nobody": field_named("x")}), "'Nobody'"),
    "extended input": (SchemaContribution(extends={"LineInput": field_named("x")}), "LineInput"),
    "extended interface": (SchemaContribution(extends={"Node": field_named("x")}), "'Node'"),
    "undecorated class": (SchemaContribution(queries=(int,)), "strawberry.type"),
    "reserved type": (asking(value_named("String")), "reserves"),
    "reserved scalar": (asking(value_named("DateTime")), "reserves"),
    "reserved introspection": (asking(value_named("__Type")), "reserves"),
    "no such column": (extending("extra", mapped("T.", permission=PUBLIC)), "have no 'extra'"),
    "no such parent": (
        extending("extra", related("T.", parent="no"), Tagged | None),
        "have no 'no'",
    ),
    "no such child": (extending("extra", related("T.", child="no"), list[Tagged]), "have no 'no'"),
    "no such order": (
        extending("extra", related("T.", child="customer_id", order=("-no",)), list[Tagged]),
        "'no'",
    ),
    "no such need": (
        extending("extra", computed("T.", one_each, needs=("no",), permission=PUBLIC)),
        "'no'",
    ),
    "sorted by nothing": (typed(sorted_by=("no",)), "sorted by 'no'"),
    "sorted by what may be null": (
        typed(more=(str | None, mapped("T.", column="tag", sort=True))),
        "Thing.more cannot be sorted",
    ),
    "no operators": (
        typed(more=(list[str], mapped("T.", column="tag", filter=True))),
        "Thing.more cannot be filt",
    ),
    "a list as a connection": (
        extending("extra", connection("T.", child="customer_id"), list[Tagged]),
        "Connection[...]",
    ),
    "a connection of a parent at the root": (
        SchemaContribution(
            queries=(
                field_named("extra", connection("T.", child="customer_id"), Connection[Tagged]),
            )
        ),
        "no parent",
    ),
    "a connection of nobody below it": (
        extending("extra", connection("T."), Connection[Tagged]),
        "below the root",
    ),
    "a mapped root": (
        SchemaContribution(queries=(field_named("extra", mapped("T.", permission=PUBLIC)),)),
        "cannot be declared mapped",
    ),
    "a found field below the root": (
        extending("extra", found_by("T."), Tagged | None),
        "below the root",
    ),
    "rows of what has none": (
        extending("extra", related("T.", permission=PUBLIC), First),
        "has none",
    ),
    "prefix of three words": (
        typed(
            node="Not OK",
            source=models.Customer,
            sorted_by=("id",),
            tag=(str, mapped("T.", column="display_name")),
        ),
        "letters",
    ),
    "unknown annotation": (extending("extra", None, "NoSuchType"), "NoSuchType"),
    "unknown lazy type": (extending("extra", None, LAZY), "Nope"),
    "annotation that is no type": (extending("extra", None, 7), ""),
    "computed with a strange argument": (
        extending("extra", computed("T.", lambda p, c, *, x: p, permission=PUBLIC)),
        "",
    ),
    "sql that raises": (
        extending("extra", mapped("T.", sql=lambda rows: rows.c.no_such, permission=PUBLIC)),
        "no_such",
    ),
}


@pytest.mark.parametrize(("wrong", "reason"), WRONG.values(), ids=WRONG.keys())
def test_a_mistake_stops_the_start_and_names_plugin_and_place(
    wrong: SchemaContribution, reason: str
) -> None:
    error = refusal(good=extending("good"), wrong=wrong)

    assert error.plugin == "wrong"
    assert reason in error.reason


@strawberry.type
class Odd:
    @resolved("For a test.", permission=PUBLIC)
    def odd(self) -> Annotated[str | int, strawberry.union("Scalars", description="For a test.")]:
        return 1


def test_what_only_strawberry_notices_is_laid_to_the_plugin_too() -> None:
    error = refusal(
        good=extending("good"), wrong=SchemaContribution(queries=(Odd,)), last=extending("last")
    )

    assert error.plugin == "wrong"
    assert "str" in error.reason
