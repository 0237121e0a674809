"""Reading one row of a batch: each value is taken or becomes a problem. Pure.

A `Row` collects problems instead of raising at the first, so that whoever sent the batch can mend
it in one go.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from crmkit.errors import Problem, shown
from crmkit.inputs import CustomerRef
from crmkit.money import AmountError, currency_digits
from crmkit.times import TimeError, parse_date, parse_instant

T = TypeVar("T")
NAME_MAX = 200
TEXT_MAX = 20_000


class TextError(ValueError):
    """A text that cannot be stored; the message says why."""


def clean_text(value: str, longest: int) -> str:
    """Return `value` without surrounding white space.

    Raises:
        TextError: not text, too long, or holding what databases cannot store.
    """
    if isinstance(value, str) and len(value) <= NAME_MAX:
        return _clean_short(value, longest)
    return _clean(value, longest)


def _clean(value: str, longest: int) -> str:
    if not isinstance(value, str):
        raise TextError("write it as text")
    # Before stripping, too: what is accepted is kept as a key of caches.
    text = value.strip() if len(value) <= 2 * longest else value
    if len(text) > longest:
        raise TextError(f"at most {longest} characters, got {len(text)}")
    if "\x00" in text:
        raise TextError("a NUL character cannot be stored")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise TextError("half of a surrogate pair cannot be stored") from None
    return text


# Names repeat; long texts do not, and would only fill the memory.
_clean_short = lru_cache(maxsize=8192)(_clean)


class Row:
    """One row being read, and what is wrong with it so far."""

    __slots__ = ("number", "problems")

    def __init__(self, number: int) -> None:
        self.number = number
        self.problems: list[Problem] = []

    def fail(self, code: str, message: str, field: str = "", value: object = None) -> None:
        """Note a problem with one field."""
        self.problems.append(Problem(code, message, self.number, field, shown(value)))

    def text(self, field: str, value: Any, longest: int = NAME_MAX) -> str | None:
        """Return a text, or None if it is absent or empty."""
        if value is None or value == "":
            return None
        return (
            self._read("INVALID_TEXT", field, value, lambda raw: clean_text(raw, longest)) or None
        )

    def required_text(self, field: str, value: Any, longest: int = NAME_MAX) -> str:
        """Return a text that must not be empty."""
        problems = len(self.problems)
        text = self.text(field, value, longest)
        if text is None and len(self.problems) == problems:
            self.fail("REQUIRED", f"{field} must not be empty", field)
        return text or ""

    def choice(self, field: str, value: Any, allowed: type[StrEnum]) -> str:
        """Return one of an enum's values."""
        if isinstance(value, str) and value in allowed._value2member_map_:
            return str(value)
        listed = ", ".join(allowed)
        self.fail("UNKNOWN_VALUE", f"use one of: {listed}", field, value)
        return ""

    def currency(self, field: str, value: Any) -> str:
        """Return an ISO 4217 code."""
        try:
            currency_digits(value)
        except (AmountError, TypeError) as error:
            self.fail("UNKNOWN_CURRENCY", str(error), field, value)
            return ""
        return str(value)

    def amount(self, field: str, parse: Callable[..., int], value: Any, *rest: Any) -> int:
        """Return an integer read by one of the parsers of `crmkit.money`."""
        try:
            return parse(value, *rest)
        except (AmountError, TypeError) as error:
            message = (
                str(error) if isinstance(error, AmountError) else "write it as text, like 12.50"
            )
            self.fail("INVALID_AMOUNT", message, field, value)
            return 0

    def instant(self, field: str, value: Any) -> datetime | None:
        """Return an aware instant."""
        return self._read("INVALID_TIME", field, value, parse_instant)

    def day(self, field: str, value: Any) -> date | None:
        """Return a calendar day, or None if absent."""
        return None if value is None else self._read("INVALID_DATE", field, value, parse_date)

    def flag(self, field: str, value: Any) -> bool:
        """Return true or false, and take nothing else for it."""
        if not isinstance(value, bool):
            self.fail("UNKNOWN_VALUE", "use true or false", field, value)
        return value is True

    def items(self, field: str, value: Any, kind: type[T]) -> Sequence[T]:
        """Return a list, of which every item is a `kind`; an empty one if it is not."""
        if isinstance(value, str | bytes) or not isinstance(value, Sequence):
            self.fail("UNKNOWN_VALUE", "give a list", field, value)
            return ()
        before = len(self.problems)
        for position, each in enumerate(value):
            if not isinstance(each, kind):
                message = f"a {kind.__name__} belongs here"
                self.fail("UNKNOWN_VALUE", message, f"{field}[{position}]", each)
        return value if len(self.problems) == before else ()

    def customer_ref(
        self, ref: CustomerRef | None, source: str, field: str = "customer"
    ) -> UUID | tuple[str, str] | None:
        """Return a customer's id, or the pair (source, external id) that names one.

        Args:
            source: the record's own, already read; used where `ref` names none.
        """
        if ref is None:
            return None
        if not isinstance(ref, CustomerRef) or not isinstance(ref.id, UUID | None):
            value = ref.id if isinstance(ref, CustomerRef) else ref
            self.fail("UNKNOWN_VALUE", "name a customer by its id or external id", field, value)
            return None
        if (ref.id is None) == (ref.external_id is None):
            code = "REQUIRED" if ref.id is None else "AMBIGUOUS"
            self.fail(code, "name the customer by id or by external id, one of them", field)
            return None
        if ref.id is not None:
            return ref.id
        before = len(self.problems)
        external_id = self.required_text(f"{field}.externalId", ref.external_id)
        origin = source if ref.source is None else self.required_text(f"{field}.source", ref.source)
        return (origin, external_id) if len(self.problems) == before else None

    def _read(self, code: str, field: str, value: Any, parse: Callable[[Any], T]) -> T | None:
        try:
            return parse(value)
        except (TextError, TimeError) as error:
            self.fail(code, str(error), field, value)
        except TypeError:
            self.fail(code, "write it as text", field, value)
        return None
