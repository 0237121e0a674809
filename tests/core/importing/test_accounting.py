import csv
import os
from collections.abc import Callable

import pytest
from sqlmodel import func, select

from crmkit import Crm
from crmkit.importing import ImportReport
from crmkit.models import Transaction

Importer = Callable[..., ImportReport]
Line = Callable[..., str]

DAMAGES: dict[str, tuple[str | bytes, str]] = {
    "bytes that are not UTF-8": (b"9,85123A,\xff\xfe,1,2010-12-01 08:26:00,1,,UK", "INVALID_TEXT"),
    "a NUL": ("9,85123A,A\0B,1,2010-12-01 08:26:00,1,,UK", "INVALID_TEXT"),
    "a NUL in a column nobody reads": (
        "9,85123A,A,1,2010-12-01 08:26:00,1,,U\0K",
        "INVALID_TEXT",
    ),
    "a quote that is never closed": (
        '9,85123A,"LANTERN,1,2010-12-01 08:26:00,1,,UK',
        "INVALID_QUOTING",
    ),
    "text after a closing quote": (
        '9,85123A,"A"B,1,2010-12-01 08:26:00,1,,UK',
        "INVALID_QUOTING",
    ),
    "a huge field": (f"9,85123A,{'x' * 200_000},1,2010-12-01 08:26:00,1,,UK", "TOO_LONG"),
    "a field of ten megabytes": (
        f"9,85123A,{'x' * 10_000_000},1,2010-12-01 08:26:00,1,,UK",
        "TOO_LONG",
    ),
    "a missing column": ("9,85123A,LANTERN,1,2010-12-01 08:26:00,1,", "WRONG_COLUMNS"),
    "an extra column": ("9,85123A,LANTERN,1,2010-12-01 08:26:00,1,,UK,x", "WRONG_COLUMNS"),
    "an empty line": ("", "EMPTY_LINE"),
    "a line of commas": (",,,,,,,", "EMPTY_LINE"),
    "no document number": (",85123A,LANTERN,1,2010-12-01 08:26:00,1,,UK", "REQUIRED"),
    "no product": ("9,,LANTERN,1,2010-12-01 08:26:00,1,,UK", "REQUIRED"),
    "a quantity in words": ("9,85123A,LANTERN,six,2010-12-01 08:26:00,1,,UK", "INVALID_AMOUNT"),
    "full-width digits": ("9,85123A,LANTERN,６,2010-12-01 08:26:00,1,,UK", "INVALID_AMOUNT"),
    "a price that is not a number": (
        "9,85123A,LANTERN,1,2010-12-01 08:26:00,NaN,,UK",
        "INVALID_AMOUNT",
    ),
    "a price in exponents": ("9,85123A,LANTERN,1,2010-12-01 08:26:00,1e3,,UK", "INVALID_AMOUNT"),
    "a price without end": (
        f"9,85123A,LANTERN,1,2010-12-01 08:26:00,{'9' * 40},,UK",
        "INVALID_AMOUNT",
    ),
    "a day that is not": ("9,85123A,LANTERN,1,2010-02-30 08:26:00,1,,UK", "INVALID_TIME"),
    "a time in words": ("9,85123A,LANTERN,1,yesterday,1,,UK", "INVALID_TIME"),
    "a lone carriage return": ("9,85123A,LAN\rTERN,1,2010-12-01 08:26:00,1,,UK", "INVALID_QUOTING"),
    "a description too long": (
        f"9,85123A,{'x' * 3_000},1,2010-12-01 08:26:00,1,,UK",
        "INVALID_TEXT",
    ),
    "a goods return with goods going out": (
        "C9,85123A,LANTERN,1,2010-12-01 08:26:00,1,,UK",
        "WRONG_SIGN",
    ),
    "a customer id without end": (
        f"9,85123A,LANTERN,1,2010-12-01 08:26:00,1,{'7' * 300},UK",
        "INVALID_TEXT",
    ),
}


def _rejects(report: ImportReport) -> dict[int, str]:
    assert report.reject_file is not None
    with report.reject_file.open(encoding="utf-8-sig", newline="") as file:
        return {int(row["line"]): row["code"] for row in csv.DictReader(file)}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_line_is_rejected_with_its_number_and_takes_no_neighbour_with_it(
    import_lines: Importer, line: Line, damage: str
) -> None:
    text, code = DAMAGES[damage]

    report = import_lines(line("1"), text, line("2"))

    assert (report.lines, report.taken, report.rejected) == (3, 2, 1)
    assert _rejects(report) == {3: code}


def test_all_damages_together_leave_no_line_unaccounted(
    crm: Crm, import_lines: Importer, line: Line
) -> None:
    small = [text for text, _ in DAMAGES.values() if len(text) < 1_000]
    good = [line(f"{number}") for number in range(1_000)]
    bad = [small[number % len(small)] for number in range(2_000)]
    mixed = [each for n in range(1_000) for each in (bad[2 * n], good[n], bad[2 * n + 1])]

    report = import_lines(*mixed, line("1000"))

    with crm.read() as session:
        stored = session.scalar(select(func.count()).select_from(Transaction))
    assert report.taken + report.known + report.rejected == report.lines == 3_001
    assert report.taken == stored == 1_000  # document 9 is one of the damaged
    assert len(_rejects(report)) == report.rejected == sum(report.reasons.values())


def test_a_record_over_several_lines_is_numbered_by_its_first(
    import_lines: Importer, line: Line
) -> None:
    report = import_lines(
        line("1", description='"RED\nWHITE\nBLUE"'), line("2"), line("3", quantity="x")
    )

    assert (report.lines, report.taken) == (3, 2)
    assert _rejects(report) == {6: "INVALID_AMOUNT"}


@pytest.mark.parametrize("opening", ['1,"', '"1,'])
def test_a_quote_that_stays_open_does_not_swallow_the_file(
    import_lines: Importer, line: Line, opening: str
) -> None:
    broken = opening + "85123A,LANTERN,1,2010-12-01 08:26:00,1,,UK"

    report = import_lines(broken, *(line(f"{number}") for number in range(2, 5_000)))

    assert (report.lines, report.rejected) == (4_999, 1)
    assert _rejects(report) == {2: "INVALID_QUOTING"}


def test_records_are_read_the_same_wherever_a_block_of_the_file_ends(
    import_lines: Importer, line: Line
) -> None:
    text = '"' + "LANTERN\n" * 20 + 'RED"'

    report = import_lines(*(line(f"{number}", description=text) for number in range(4_000)))

    assert (report.lines, report.taken) == (4_000, 4_000)


def test_a_document_is_all_or_nothing(import_lines: Importer, line: Line) -> None:
    report = import_lines(line("1"), line("1", quantity="x"), line("1"), line("2"))

    assert (report.taken, report.rejected) == (1, 3)
    assert _rejects(report) == {
        2: "DOCUMENT_REJECTED",
        3: "INVALID_AMOUNT",
        4: "DOCUMENT_REJECTED",
    }


def test_a_line_whose_document_is_unreadable_rejects_the_document_around_it(
    import_lines: Importer, line: Line
) -> None:
    report = import_lines(line("1"), b"\xff\xff,85123A", line("1"), line("2"))

    assert (report.taken, report.rejected) == (1, 3)
    assert _rejects(report)[3] == "INVALID_TEXT"


def test_an_empty_line_inside_a_document_does_not_reject_it(
    import_lines: Importer, line: Line
) -> None:
    report = import_lines(line("1"), "", line("1"), "", "")

    assert (report.lines, report.taken, report.reasons) == (3, 2, {"EMPTY_LINE": 1})


def test_lines_of_one_document_must_name_one_customer(import_lines: Importer, line: Line) -> None:
    report = import_lines(line("1", customer="17850"), line("1", customer="13047"))

    assert report.reasons == {"INCONSISTENT": 1, "DOCUMENT_REJECTED": 1}


def test_a_document_with_too_many_lines_is_rejected_line_by_line(
    import_lines: Importer, line: Line
) -> None:
    report = import_lines(*(line("1") for _ in range(11_000)), line("2"))

    assert (report.lines, report.taken, report.rejected) == (11_001, 1, 11_000)
    assert set(_rejects(report).values()) == {"TOO_MANY", "DOCUMENT_REJECTED"}


def test_a_line_that_is_wrong_as_a_whole_is_the_one_that_is_named(
    import_lines: Importer, line: Line
) -> None:
    huge = line("1", quantity="999999", price="99999999999")

    report = import_lines(line("1"), line("1"), huge)

    assert _rejects(report)[4] == "INVALID_AMOUNT"
    assert report.examples[0].damage.message == "line 4 of the same document: INVALID_AMOUNT"


def test_a_file_name_as_long_as_a_folder_allows_has_a_reject_file(
    import_lines: Importer, line: Line
) -> None:
    report = import_lines(line("1", quantity="x"), name="销" * 80 + ".csv")

    assert _rejects(report) == {2: "INVALID_AMOUNT"}


def test_a_file_name_in_another_encoding_is_no_obstacle(import_lines: Importer, line: Line) -> None:
    name = os.fsdecode("销售".encode("gb18030") + b".csv")

    report = import_lines(line("1"), line("2", quantity="x"), name=name)

    assert report.taken == 1
    assert _rejects(report) == {3: "INVALID_AMOUNT"}


def test_the_reject_file_is_private_and_holds_no_formula(
    import_lines: Importer, line: Line
) -> None:
    report = import_lines("=1+1,85123A,@SUM(A1),x,2010-12-01 08:26:00,1,,UK", line("2"))

    path = report.reject_file
    assert path is not None
    content = path.read_text(encoding="utf-8-sig")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert "'=1+1,85123A,@SUM(A1),x" in content
