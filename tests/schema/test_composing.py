"""Contributions become one schema; names that clash stop the start and name both owners."""

from typing import Any

import pytest
import strawberry

from contributions import (
    First,
    asking,
    composed,
    extending,
    field_named,
    refusal,
    typed,
    value_named,
)
from crmkit import SchemaContribution, models
from crmkit.errors import PluginConflict
from crmkit_schema import (
    PUBLIC,
    Connection,
    Customer,
    connection,
    mapped,
    mutation,
    resolved,
)


def mutating(name: str) -> SchemaContribution:
    def resolver(self: Any) -> First:
        return First(text="")

    resolver.__name__ = name
    made = mutation("For a test.", permission=PUBLIC)(resolver)
    return SchemaContribution(mutations=(strawberry.type(type("Roots", (), {name: made})),))


def asking_as(name: str) -> SchemaContribution:
    def resolver(self: Any) -> str:
        return ""

    resolver.__name__ = name
    made = resolved("For a test.", permission=PUBLIC)(resolver)
    return SchemaContribution(queries=(strawberry.type(type("Roots", (), {name: made})),))


def with_input(name: str) -> SchemaContribution:
    made = strawberry.input(type(name, (), {"__annotations__": {"text": str}, "text":
        strawberry.field(description="For a test.")}), description="For a test.")  # fmt: skip

    def resolver(self: Any, given: Any) -> str:
        return str(given)

    resolver.__annotations__["given"] = made
    declared = resolved("For a test.", permission=PUBLIC)(resolver)
    roots = strawberry.type(type("Roots", (), {f"ask{id(made)}": declared}))
    return SchemaContribution(queries=(roots,))


CLASHES = {
    "two fields on a core type": (extending("same"), extending("same")),
    "two spellings of a field": (extending("two_words"), extending("twoWords")),
    "two root fields": (asking_as("same"), asking_as("same")),
    "two mutations": (mutating("do_it"), mutating("do_it")),
    "two types": (asking(value_named("Same")), asking(value_named("Same"))),
    "two inputs": (with_input("SameInput"), with_input("SameInput")),
    "an input and a type": (with_input("Same"), asking(value_named("Same"))),
}  # fmt: skip


@pytest.mark.parametrize(("first", "second"), CLASHES.values(), ids=CLASHES.keys())
def test_a_name_that_two_plugins_contribute_names_both(
    first: SchemaContribution, second: SchemaContribution
) -> None:
    error = refusal(one=first, two=second)

    assert isinstance(error, PluginConflict)
    assert (error.plugin, error.other) == ("two", "one")
    assert "'one'" in str(error)
    assert "'two'" in str(error)


@pytest.mark.parametrize(
    "contribution",
    [
        extending("tags"), extending("displayName"), asking(value_named("Customer")),
        asking(value_named("ExternalIdInput")), mutating("record_transactions"),
        with_input("TransactionInput"), asking(value_named("CustomerConnection")),
        asking(value_named("CustomerFilter")), asking(value_named("StringFilter")),
        asking(value_named("CustomerOrderField")), asking(value_named("UpsertCustomersResult")),
        SchemaContribution(queries=(field_named("customers", connection(
            "T.", permission=PUBLIC), Connection[Customer]),)),
    ],
)  # fmt: skip
def test_a_name_of_cores_is_taken(contribution: SchemaContribution) -> None:
    error = refusal(one=contribution)

    assert isinstance(error, PluginConflict)
    assert (error.plugin, error.other) == ("one", "core")


def test_two_types_with_one_prefix_of_ids_are_refused() -> None:
    again = typed(
        node="cus", source=models.Customer, sorted_by=("id",),
        tag=(str, mapped("T.", column="display_name")),
    )  # fmt: skip

    error = refusal(one=again)

    assert "'cus'" in str(error)
    assert error.plugin == "one"


def test_schemas_with_different_plugins_do_not_know_each_other() -> None:
    one, two = composed(a=extending("alpha")), composed(b=extending("beta"))

    again = composed()

    assert "alpha" in one.as_str()
    assert "beta" not in one.as_str()
    assert "alpha" not in two.as_str()
    assert "alpha" not in again.as_str()
    assert one.as_str() == composed(a=extending("alpha")).as_str()


def test_a_field_tells_which_plugin_it_comes_from() -> None:
    sdl = composed(a=extending("alpha")).as_str()

    assert '"""For a test. (Plugin a.)"""\n  alpha: Int' in sdl


def test_a_plugin_extends_the_type_of_another() -> None:
    base = typed()
    more = SchemaContribution(extends={"Thing": field_named("extra")})

    assert "extra: Int" in composed(a=base, b=more).as_str()
    assert refusal(b=more).plugin == "b"
