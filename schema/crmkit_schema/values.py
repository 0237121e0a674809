"""Value types: scalars and small objects without identity."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError, ValueNode
from graphql.language import IntValueNode, StringValueNode
from strawberry.schema.config import StrawberryConfig

from crmkit.money import format_minor
from crmkit.times import TimeError, parse_date, parse_instant
from crmkit_schema.specs import TypeSpec, note


def bad_input(message: str) -> GraphQLError:
    """Return the error for a value that a scalar cannot take."""
    return GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})


def refuse_unstorable(value: Any) -> None:
    """Refuse text that no database can store, wherever it stands in a value.

    Raises:
        GraphQLError: it holds a NUL character or half of a surrogate pair.
    """
    if isinstance(value, str):
        try:
            is_storable = b"\x00" not in value.encode()
        except UnicodeEncodeError:
            is_storable = False
        if not is_storable:
            raise bad_input("text must not hold a NUL character or half of a surrogate pair")
    elif isinstance(value, Mapping):
        for each in value.values():
            refuse_unstorable(each)
    elif isinstance(value, list):
        for each in value:
            refuse_unstorable(each)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise bad_input("write it as text")
    return value


def _number_text(value: Any) -> str | int:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise bad_input('write it as text, like "12.50"')


def _number_literal(node: ValueNode, _variables: Any = None) -> str:
    if isinstance(node, StringValueNode | IntValueNode):
        return node.value
    raise bad_input('write it as text, like "12.50"')


def _instant(value: Any) -> datetime:
    try:
        return parse_instant(_text(value))
    except TimeError as error:
        raise bad_input(str(error)) from None


def _day(value: Any) -> date:
    try:
        return parse_date(_text(value))
    except TimeError as error:
        raise bad_input(str(error)) from None


def show_instant(value: datetime) -> str:
    """Return an instant as text in UTC; a fraction of a second only where there is one."""
    return value.isoformat().replace("+00:00", "Z")


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 2**53:
        raise bad_input("a whole number of at most 2^53")
    return value


Amount = NewType("Amount", str)
Long = NewType("Long", int)
DateTimeInput = NewType("DateTimeInput", str)
DateInput = NewType("DateInput", str)

SCALARS: dict[object, Any] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment, as ISO 8601 with an offset; given in UTC.",
        serialize=show_instant,
        parse_value=_instant,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A calendar day, as year-month-day.",
        serialize=date.isoformat,
        parse_value=_day,
    ),
    DateTimeInput: strawberry.scalar(
        name="DateTimeInput",
        description="A moment to record, as ISO 8601 with an offset; checked with its row.",
        serialize=str,
        parse_value=_text,
    ),
    DateInput: strawberry.scalar(
        name="DateInput",
        description="A calendar day to record, as year-month-day; checked with its row.",
        serialize=str,
        parse_value=_text,
    ),
    Amount: strawberry.scalar(
        name="Amount",
        description='A decimal number as text, such as "12.50"; never a float.',
        serialize=str,
        parse_value=_number_text,
        parse_literal=_number_literal,
    ),
    Long: strawberry.scalar(
        name="Long",
        description="A whole number of up to 2^53, where Int is too small.",
        serialize=int,
        parse_value=_whole,
    ),
}


def schema_config() -> StrawberryConfig:
    """Return strawberry's configuration with crmkit's scalars."""
    return StrawberryConfig(scalar_map=SCALARS)


def _amount(root: "Money") -> Amount:
    return Amount(format_minor(root.minor, root.currency))


@strawberry.type(description="An amount of money.")
class Money:
    """Minor units with their currency."""

    minor: Long = strawberry.field(description="In the currency's minor unit, such as pence.")
    currency: str = strawberry.field(description="ISO 4217 code.")

    amount: Amount = strawberry.field(
        description='In major units as text, such as "12.50".', resolver=_amount
    )


note(Money, TypeSpec())
