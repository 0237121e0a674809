"""Turning a document of a file into the input that services take. Pure."""

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

from crmkit.errors import shown
from crmkit.importing.classifying import Classifier, Kinds
from crmkit.importing.grouping import Run
from crmkit.importing.local_times import parse_local
from crmkit.importing.mapping import NEEDED, Mapping, TransactionColumns
from crmkit.importing.notation import Notation
from crmkit.importing.reading import Columns
from crmkit.importing.rows import Damage
from crmkit.inputs import CustomerRef, LineInput, TransactionInput
from crmkit.models import LineKind, TransactionKind
from crmkit.times import TimeError

_SAME_ON_ALL_LINES = ("customer", "kind", "currency", "original")
_NUMBERS = ("quantity", "unit_price", "discount", "tax", "amount")
_WRITTEN = (*_NUMBERS, "paid")
_PLACES = ("channel", "store", "staff")


Document = tuple[Run, TransactionInput | dict[int, Damage]]
"""A document as it lies in the file, and its input or what is wrong with its lines."""


class Converter:
    """Reads documents of one file by one mapping.

    Attributes:
        columns: where the file has what.
        zone: of the times and the business days.
    """

    def __init__(self, mapping: Mapping, columns: Columns) -> None:
        self._mapping = mapping
        self.columns = columns
        self.zone = mapping.zone
        self._customer_source = mapping.customer_source or mapping.source
        self._notation = Notation(mapping.decimal, mapping.thousands)
        self._number = str.strip if self._notation.is_plain else self._notation.plain
        self._classifier = Classifier(mapping, columns.by_name, self._number)

    def convert_all(self, runs: Iterable[Run]) -> list[Document]:
        """Convert documents; those with damaged lines keep what is wrong with them."""
        return [(run, run.damages or self.convert(run)) for run in runs]

    def convert(self, run: Run) -> TransactionInput | dict[int, Damage]:
        """Return a document's input, or what is wrong with its lines, by physical line."""
        columns = list(zip(*run.rows, strict=True))
        damages: dict[int, Damage] = {}
        head = self._head(run, columns, damages)
        kinds = self._classifier.kinds(columns)
        kind = self._kind(run, head.get("kind", ""), {each[0] for each in set(kinds)}, damages)
        try:
            when = " ".join(filter(None, (head["occurred_at"], head.get("time"))))
            occurred_at = parse_local(when, self._mapping.time_formats, self.zone)
        except TimeError as error:
            value = head["occurred_at"]
            damages[run.numbers[0]] = Damage(
                "INVALID_TIME", str(error), self.columns.heading_of("occurred_at"), shown(value)
            )
        is_void = kind == TransactionKind.VOID  # its lines mirror those of its original
        self._check_numbers(run, columns, damages, ("paid",) if is_void else _WRITTEN)
        if damages:
            return damages
        customer = head.get("customer")
        if customer in self._mapping.anonymous:
            customer = None
        return TransactionInput(
            source=self._mapping.source,
            external_id=run.document,
            occurred_at=occurred_at,
            currency=head.get("currency") or self._mapping.currency,
            lines=() if is_void else self._lines(columns, kinds),
            kind=kind,
            customer=CustomerRef(None, customer, self._customer_source) if customer else None,
            paid=self._number(head["paid"]) if head.get("paid") else None,
            original=head.get("original") or None,
            **{place: head.get(place) or None for place in _PLACES},
        )

    def _head(
        self, run: Run, columns: list[tuple[str, ...]], damages: dict[int, Damage]
    ) -> dict[str, str]:
        """Return the first value of each field of the whole document."""
        head = dict(self._mapping.constants)
        for field in TransactionColumns.model_fields:
            at = self.columns.by_field.get(field)
            if at is None:
                continue
            values = columns[at]
            first = values[0].strip()
            if not first or field in _SAME_ON_ALL_LINES:
                distinct = list(dict.fromkeys(filter(None, map(str.strip, dict.fromkeys(values)))))
                first = distinct[0] if distinct else first
                if len(distinct) > 1 and field in _SAME_ON_ALL_LINES:
                    place = next(
                        n for n, value in enumerate(values) if value.strip() == distinct[1]
                    )
                    message = f"lines of one document differ: {distinct[0]!r} and {distinct[1]!r}"
                    damages[run.numbers[place]] = Damage(
                        "INCONSISTENT", message, self.columns.heading[at], shown(distinct[1])
                    )
            head[field] = first or head.get(field, "")
        return head

    def _kind(
        self, run: Run, named: str, ruled: set[str | None], damages: dict[int, Damage]
    ) -> str:
        fallback = named or str(TransactionKind.SALE)
        kinds = {each or fallback for each in ruled}
        if len(kinds) == 1:
            return kinds.pop()
        if self._mapping.mixed_kind is not None:
            return str(self._mapping.mixed_kind)
        message = f"lines of one document are of several kinds: {', '.join(sorted(kinds))}"
        damages[run.numbers[0]] = Damage("MIXED_KINDS", message)
        return fallback

    def _check_numbers(
        self,
        run: Run,
        columns: list[tuple[str, ...]],
        damages: dict[int, Damage],
        fields: Iterable[str],
    ) -> None:
        """Note numbers outside the mapping's notation; the plain one is checked by services."""
        if self._notation.is_plain:
            return
        for field in fields:
            at = self.columns.by_field.get(field)
            if at is None or all(map(self._notation.fits, columns[at])):
                continue
            message = f"write numbers like {self._notation.example}"
            for number, text in zip(run.numbers, columns[at], strict=True):
                if not self._notation.fits(text):
                    heading = self.columns.heading[at]
                    damages.setdefault(
                        number, Damage("INVALID_AMOUNT", message, heading, shown(text))
                    )

    def _lines(self, columns: list[tuple[str, ...]], kinds: Sequence[Kinds]) -> list[LineInput]:
        def values(field: str, absent: str | None = None) -> Iterable[Any]:
            """Give a field of every line; where it is empty, what an absent one would be."""
            at = self.columns.by_field.get(field)
            if at is None:
                return repeat(self._mapping.constants.get(field, absent))
            if field not in _NUMBERS:
                return columns[at]
            read = map(self._number, columns[at])
            return read if field in NEEDED else (each or absent for each in read)

        plain = str(LineKind.PRODUCT)
        if "line_kind" in self.columns.by_field:
            named = zip(kinds, columns[self.columns.by_field["line_kind"]], strict=True)
            line_kinds = [ruled or name.strip() or plain for (_, ruled), name in named]
        else:
            line_kinds = [ruled or plain for _, ruled in kinds]
        return list(
            map(
                LineInput,
                values("sku"),
                values("quantity"),
                values("unit_price"),
                line_kinds,
                values("description"),
                values("category"),
                values("brand"),
                values("discount", "0"),
                values("tax", "0"),
                values("amount"),
                map(_position, values("original_position"))
                if "original_position" in self.columns.by_field
                else repeat(None),
            )
        )


def _position(text: str | None) -> Any:
    return int(text) if text and text.isascii() and text.isdecimal() else text or None
