"""Opening a file to import: finding out what it is, and where the mapping's columns are in it."""

from collections.abc import Iterable
from pathlib import Path

from crmkit.errors import ImportFailed
from crmkit.importing.delimited import DelimitedTable
from crmkit.importing.mapping import NEEDED, Mapping
from crmkit.importing.mapping_rules import Rules
from crmkit.importing.rows import Table
from crmkit.importing.workbooks import WorkbookTable

_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # xlsx, xlsb, ods; xls


class Columns:
    """Where the fields of a mapping stand in a file.

    Attributes:
        by_name: position of each heading; of the first, if a heading occurs twice.
        by_field: position of each mapped field whose column is there.
        unused: headings that the mapping does not read.
    """

    def __init__(self, heading: tuple[str, ...], mapping: Mapping) -> None:
        self.heading = heading
        self.by_name = {name: at for at, name in reversed(list(enumerate(heading)))}
        self.by_field: dict[str, int] = {}
        for prefix, part in (("", mapping.transaction), ("line_", mapping.line)):
            for field in type(part).model_fields:
                names: Iterable[str] = getattr(part, field)
                for name in names:
                    if name in self.by_name:
                        key = f"{prefix}{field}" if field == "kind" else field
                        self.by_field[key] = self.by_name[name]
                        break
        rules: Rules = (*mapping.transaction_kinds, *mapping.line_kinds)
        used = {heading[at] for at in self.by_field.values()}
        used.update(each.column for rule in rules for each in rule.when)
        self.unused = tuple(name for name in heading if name and name not in used)

    def heading_of(self, field: str) -> str:
        """Return the file's name of a field, or the field's own if the file has none."""
        at = self.by_field.get(field)
        return field if at is None else self.heading[at]

    def missing(self, mapping: Mapping) -> list[str]:
        """Return the fields that must have a column and have none."""
        needed = (*NEEDED, *mapping.required)
        return [
            field
            for field in needed
            if field not in self.by_field and field not in mapping.constants
        ]


def open_table(path: Path, mapping: Mapping) -> tuple[Table, Columns]:
    """Open a file and find the columns of a mapping in it.

    Of the mapping's encodings the first is taken in which the heading holds the columns and the
    beginning of the file is text; a heading alone often is the same in all of them.

    Raises:
        ImportFailed: no such file, not a table, or a column is missing.
    """
    try:
        with path.open("rb") as stream:
            magic = stream.read(4)
    except OSError as error:
        raise ImportFailed(f"{path} cannot be opened: {error.strerror}") from None
    tried = [(table, Columns(table.heading, mapping)) for table in _readings(path, magic, mapping)]
    complete = [each for each in tried if not each[1].missing(mapping)]
    if complete:
        right = (each for each in complete if len(complete) == 1 or each[0].looks_right())
        return next(right, complete[0])
    best = max(tried, key=lambda each: len(each[1].by_field))[1]
    raise ImportFailed(_sentence(path, best, mapping))


def _readings(path: Path, magic: bytes, mapping: Mapping) -> Iterable[Table]:
    if magic.startswith(_WORKBOOKS):
        yield WorkbookTable(path, mapping.sheet, mapping.heading_line, mapping.decimal)
        return
    for encoding in mapping.encodings:
        for delimiter in mapping.delimiters:
            yield DelimitedTable(path, encoding, delimiter, mapping.heading_line)


def _sentence(path: Path, best: Columns, mapping: Mapping) -> str:
    if not any(best.heading):
        encodings = ", ".join(mapping.encodings)
        return (
            f"{path.name} has no readable heading in line {mapping.heading_line} "
            f"(tried {encodings}); state the file's encoding in the mapping"
        )
    wanted = []
    for field in best.missing(mapping):
        part = mapping.transaction if hasattr(mapping.transaction, field) else mapping.line
        wanted.append(" or ".join(map(repr, getattr(part, field))) or repr(field))
    heading = ", ".join(best.heading)[:300]
    return f"{path.name} lacks the column {', '.join(wanted)}; its heading reads: {heading}"
