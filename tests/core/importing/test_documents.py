from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import Session, col, select

from crmkit import Crm
from crmkit.importing import ImportReport, import_transactions
from crmkit.models import Transaction, TransactionLine

Importer = Callable[..., ImportReport]
Line = Callable[..., str]


def _totals(session: Session) -> dict[str, int]:
    return dict(session.exec(select(Transaction.external_id, Transaction.total_minor)).all())


def test_scattered_lines_of_a_document_come_together_in_the_order_of_the_file(
    crm: Crm, import_lines: Importer, line: Line
) -> None:
    report = import_lines(line("1", sku="11111"), line("2"), line("1", sku="22222"), line("3"))

    with crm.read() as session:
        wanted = select(TransactionLine.sku).join(Transaction).where(Transaction.external_id == "1")
        skus = session.exec(wanted.order_by(col(TransactionLine.position))).all()
    assert (report.lines, report.taken) == (4, 4)
    assert list(skus) == ["11111", "22222"]


def test_a_file_made_of_two_overlapping_exports_doubles_nothing(
    crm: Crm, import_lines: Importer, line: Line
) -> None:
    day = [line("1"), line("1", sku="22222"), line("2"), line("3")]

    report = import_lines(*day, *day)

    with crm.read() as session:
        assert _totals(session) == {"1": 3060, "2": 1530, "3": 1530}
    assert (report.lines, report.taken, report.known) == (8, 4, 4)


def test_a_document_with_as_many_lines_as_one_may_have_is_recorded_once_however_often_it_comes(
    import_lines: Importer, line: Line
) -> None:
    long = [line("1", price=str(number)) for number in range(1, 5_001)]

    report = import_lines(*long, line("2"), *long)

    assert (report.taken, report.known, report.rejected) == (5_001, 5_000, 0)


@pytest.mark.parametrize(("length", "copies"), [(5_001, 2), (5_000, 7)])
def test_scattered_lines_that_are_too_many_are_rejected(
    import_lines: Importer, line: Line, length: int, copies: int
) -> None:
    long = [line("1", price=str(number)) for number in range(1, length + 1)]
    file = [each for n in range(copies) for each in (*long, line(f"other{n}"))]

    report = import_lines(*file)

    assert (report.taken, report.rejected) == (copies, length * copies)
    assert report.reasons.keys() == {"TOO_MANY", "DOCUMENT_REJECTED"}


def test_a_void_in_a_file_mirrors_the_transaction_it_names(crm: Crm, tmp_path: Path) -> None:
    path = tmp_path / "voids.csv"
    path.write_text(
        "transaction_id,occurred_at,sku,quantity,unit_price,currency,kind,original_id\n"
        "S1,2026-01-01T10:00:00Z,tea,2,5,CNY,sale,\n"
        "V1,2026-01-01T11:00:00Z,,,,CNY,void,S1\n"
        "V2,2026-01-01T12:00:00Z,tea,2,5,CNY,void,\n"
    )

    report = import_transactions(crm, path, "generic")

    with crm.read() as session:
        assert _totals(session) == {"S1": 1_000, "V1": -1_000}
    assert (report.taken, report.reasons) == (2, {"REQUIRED": 1})
    damage = report.examples[0].damage
    assert (damage.field, damage.message) == (
        "original_id",
        "a void names the transaction it undoes",
    )


def test_equal_lines_in_one_piece_are_all_kept(
    crm: Crm, import_lines: Importer, line: Line
) -> None:
    import_lines(line("1"), line("1"))

    with crm.read() as session:
        assert _totals(session) == {"1": 3060}


def test_a_second_import_takes_nothing_and_lists_rejects_again(
    import_lines: Importer, line: Line
) -> None:
    lines = [line("1"), line("2", quantity="x"), line("3"), line("1", sku="22222")]

    first = import_lines(*lines)
    second = import_lines(*lines)

    assert (first.taken, first.known, first.rejected) == (3, 0, 1)
    assert (second.taken, second.known, second.rejected) == (0, 3, 1)
    assert second.reject_file == first.reject_file
    assert second.reasons == first.reasons == {"INVALID_AMOUNT": 1}


def test_a_document_that_comes_again_with_other_content_is_rejected(
    import_lines: Importer, line: Line
) -> None:
    import_lines(line("1"))

    report = import_lines(line("1", price="9.99"), line("2"))

    assert (report.taken, report.rejected) == (1, 1)
    assert report.reasons == {"EXTERNAL_ID_CONFLICT": 1}


def test_the_earliest_line_tells_when_a_document_happened(
    crm: Crm, import_lines: Importer, line: Line
) -> None:
    import_lines(line("1", when="2011-07-01 08:26:00"), line("1", when="2011-07-01 08:27:00"))

    with crm.read() as session:
        at = session.exec(select(Transaction.occurred_at)).one()
    assert at.isoformat() == "2011-07-01T07:26:00+00:00"


def test_a_dry_run_says_what_would_happen_and_writes_nothing(
    crm: Crm, import_lines: Importer, line: Line
) -> None:
    lines = [line("1"), line("2", quantity="x"), line("3"), line("1", sku="22222")]

    trial = import_lines(*lines, dry_run=True)

    with crm.read() as session:
        assert _totals(session) == {}
    assert not (crm.settings.data_dir / "rejects").exists()
    assert (trial.taken, trial.rejected, trial.reject_file) == (3, 1, None)
    assert trial.examples[0].line == 3
    assert import_lines(*lines).taken == trial.taken


def test_a_dry_run_says_which_lines_it_could_not_follow(crm: Crm, import_lines: Importer) -> None:
    heading = "transaction_id,occurred_at,sku,quantity,unit_price,currency,kind,original_id"
    sold = [f"S{n},2026-01-01T10:00:00Z,tea,1,5,CNY,sale," for n in range(1_500)]
    returned = "R1,2026-01-02T10:00:00Z,tea,-1,5,CNY,return,S0"
    stray = "R2,2026-01-02T10:00:00Z,tea,-1,5,CNY,return,X9"
    path = crm.settings.data_dir / "generic.csv"
    path.write_text("\n".join([heading, *sold, returned, stray]))

    trial = import_transactions(crm, path, "generic", dry_run=True)

    assert (trial.taken, trial.unchecked, trial.reasons) == (1_501, 1, {"UNKNOWN_ORIGINAL": 1})
    assert import_transactions(crm, path, "generic").taken == 1_501
