"""What the plugin for tests makes in Python: objects, a union, and root fields that echo."""

from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry import Info
from strawberry.scalars import JSON
from tests.schema.engine.extras_moods import Mood

from crmkit import NotFound
from crmkit_schema import (
    PUBLIC,
    Amount,
    Customer,
    Key,
    Long,
    Transaction,
    computed,
    found_by,
    object_type,
    related,
    resolved,
    value_type,
)

NUMBERS = [0.1, 1e22, -0.0, 5e-324, 1.0, 123456789.12345679, 1 / 3, 1.7976931348623157e308]


def _said(text: str) -> Any:
    return strawberry.field(description=text)


@value_type
class ExtrasNote:
    """A plain object."""

    text: str = _said("Text.")
    number: float | None = _said("A number.")


def _sizes(parents: list[Any], _context: Any) -> list[int]:
    return [len(each.text) for each in parents]


def _loud(root: "ExtrasBadge") -> str:
    if len(root.text) < 4:
        raise ValueError("too short")
    return root.text.upper()


def _certain(root: "ExtrasBadge") -> int:
    return None if len(root.text) % 2 else 1  # type: ignore[return-value] # breaks its promise


@object_type(None, permission="extras.read")
class ExtrasBadge:
    """An object that Python makes, with relations, methods and things that fail."""

    text: str = _said("Text.")
    score: float = _said("A number.")
    words: list[str] = _said("Words.")
    details: JSON = _said("Anything.")
    at: datetime = _said("A moment.")
    day: date | None = _said("A day.")
    mood: Mood | None = _said("An enum.")
    notes: list[ExtrasNote | None] = _said("Objects, some missing.")
    owner_id: strawberry.Private[UUID | None]
    owner: Customer | None = related("Whose it is.", parent="owner_id")
    bought: list[Transaction] = related(
        "What they bought.", parent="owner_id", child="customer_id", limit=3
    )
    size: int = computed("How long the text is.", _sizes, needs=("text",))

    loud: str = strawberry.field(description="A method that fails.", resolver=_loud)
    certain: int = strawberry.field(description="Must not be null and is.", resolver=_certain)


ExtrasThing = Annotated[
    ExtrasBadge | ExtrasNote, strawberry.union("ExtrasThing", description="Either.")
]


def badge(text: str, owner: UUID | None = None, day: date | None = None) -> ExtrasBadge:
    """Return an object that depends on its text alone."""
    return ExtrasBadge(
        text=text,
        score=len(text) / 7,
        words=text.split(),
        details=JSON({"text": text, "list": [1, 2.5, None, {"é": True}], "b": 2**53, "a": 1e-7}),
        at=datetime(2026, 6, 15, 4, 0, 0, 120_000 * (len(text) % 2), tzinfo=UTC),
        day=day,
        mood=Mood.GOOD if day else None,
        notes=[None if letter == "n" else ExtrasNote(text=letter, number=None) for letter in
               text[:3]],
        owner_id=owner,
    )  # fmt: skip


def things(count: int) -> list[Any]:
    """Return objects of both types, and nothing now and then."""
    made = [badge("x" * at) if at % 3 else ExtrasNote(text="名", number=at / 3) for at in
            range(count)]  # fmt: skip
    return [None if at == 4 else each for at, each in enumerate(made)]


@strawberry.input(description="Anything.")
class ExtrasEchoInput:
    """Nested values."""

    text: str = strawberry.field(description="Text.", default="as said")
    number: float | None = strawberry.field(description="A number.", default=None)
    moods: list[Mood] | None = strawberry.field(description="Moods.", default=None)
    below: Annotated["ExtrasEchoInput", strawberry.lazy("tests.schema.engine.extras_python")] | (
        None
    ) = strawberry.field(description="More.", default=None)


def _is_named(rows: Any, value: Any) -> Any:
    return rows.c.display_name == value


@strawberry.type
class ExtrasQuery:
    """Root fields."""

    extras_customer: Customer | None = found_by(
        "One customer of a name.", name=Key(str, "The name.", _is_named)
    )

    @resolved("What Python got of each argument.", permission=PUBLIC)
    def extras_echo(
        self,
        text: str | None = None,
        whole: int = 7,
        many: list[int] | None = None,
        number: float | None = None,
        day: date | None = None,
        moment: datetime | None = None,
        long: Long | None = None,
        amount: Amount | None = None,
        mood: Mood | None = Mood.BAD,
        truth: bool | None = None,
        thing: JSON | None = None,
        deep: ExtrasEchoInput | None = None,
    ) -> str:
        """Say it back."""
        return repr((text, whole, many, number, day, moment, long, amount, mood, truth, thing,
                     deep))  # fmt: skip

    @resolved("Numbers that are hard to write.", permission=PUBLIC)
    def extras_numbers(self) -> list[float]:
        """Give them."""
        return NUMBERS

    @resolved("Objects of two types.", permission="extras.read")
    def extras_things(self, count: int = 2) -> list[ExtrasThing | None]:
        """Make some."""
        return things(min(max(count, 0), 9))

    @resolved("One object.", permission=PUBLIC)
    def extras_badge(self, text: str) -> ExtrasBadge | None:
        """Make one, or none."""
        return badge(text) if text else None

    @resolved("Fails for short texts, and takes the whole answer along.", permission=PUBLIC)
    def extras_strict(self, info: Info, text: str) -> str:
        """Fail in several ways."""
        if not text:
            raise NotFound("text", text)
        if text == "x":
            raise ZeroDivisionError
        if len(text) == 1:
            info.context.require(["nobody.has"])
        return text
