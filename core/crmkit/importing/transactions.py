"""Importing a file of transactions: every line ends as taken, known or rejected.

The file is read twice, first to count and then to record, in chunks of whole documents. Each
chunk is one database transaction that also moves the journal, and its rejects are durable before
it commits. So an import may be killed anywhere and run again.
"""

import gc
import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from crmkit.crm import Crm
from crmkit.errors import ImportFailed, Problem
from crmkit.importing.chunks import chunks
from crmkit.importing.converting import Converter
from crmkit.importing.grouping import Run, runs
from crmkit.importing.journal import open_journal
from crmkit.importing.mapping_files import NamedMapping, load_mapping
from crmkit.importing.reading import Columns, open_table
from crmkit.importing.recorders import JournalledRecorder, Recorder, TrialRecorder
from crmkit.importing.rejects import RejectFile, reject_name
from crmkit.importing.report import ImportReport, ProgressCallback, Subject, Teller
from crmkit.importing.rows import Table
from crmkit.importing.scratch import Scratch
from crmkit.importing.settling import Excuse, Settler
from crmkit.importing.working_ahead import working_ahead
from crmkit.inputs import TransactionInput

_OBJECTS_BETWEEN_COLLECTIONS = 200_000


def import_transactions(
    crm: Crm,
    file: Path,
    mapping: str | Path | NamedMapping,
    *,
    dry_run: bool = False,
    progress: ProgressCallback | None = None,
    chunk_documents: int = 1_000,
) -> ImportReport:
    """Record the transactions of a CSV file (plain or gzipped) or of an Excel workbook.

    An import that was interrupted goes on where it stopped. One that was finished reads the file
    again: what is recorded is known, and lines that were rejected get another chance. Customers
    that are not known yet are created with nothing but their external id.

    Args:
        mapping: name of a mapping that crmkit brings, or path of one of your own.
        dry_run: say what would become of each line, and write nothing.
        progress: called after each chunk, a few times a second, with how far the import is.
        chunk_documents: how many documents one database transaction records at most.

    Raises:
        ImportFailed: the file or the mapping cannot be used at all, or somebody else is
            importing the same file; nothing was written by this call.
        HookFailed: a plugin is broken; what was settled before stays, and the import can resume.
    """
    started = time.monotonic()
    named = mapping if isinstance(mapping, NamedMapping) else load_mapping(mapping)
    table, columns = open_table(file, named.mapping)
    digest = _digest(file)
    tell = Teller(progress or (lambda _: None))
    with _scratch(crm, digest, named) as scratch, _rare_collection():
        tell.start("counting", 0, None)
        total = scratch.count(_runs(table, columns), tell.report)
        converter = Converter(named.mapping, columns)
        settler = Settler(crm.registry, converter, crm.clock.now(), _excuse(scratch, dry_run))
        recorder = _recorder(crm, file, named, digest, settler, dry_run)
        tell.start("recording", recorder.position.lines, total)
        left = chunks(_runs(table, columns), scratch, recorder.position, chunk_documents)
        prepared = ((converter.convert_all(chunk.documents), chunk) for chunk in left)
        embedded = crm.database.dialect == "sqlite"
        for documents, chunk in prepared if embedded else working_ahead(prepared):
            recorder.settle(documents, chunk.line_done, chunk.scattered_done)
            tell.report(recorder.position.lines)
    if recorder.position.lines != total:
        raise ImportFailed(
            f"{file.name} changed while it was read: {total} lines, then {recorder.position.lines}"
        )
    subject = Subject(file, named.identity, columns.unused, started)
    return recorder.finish(subject, crm.clock.now())


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _runs(table: Table, columns: Columns) -> Iterator[Run]:
    at = columns.by_field["external_id"]
    return runs(table.blocks(), at, columns.heading[at])


def _recorder(
    crm: Crm, file: Path, named: NamedMapping, digest: str, settler: Settler, dry_run: bool
) -> Recorder:
    if dry_run:
        return TrialRecorder(crm, settler)
    journal = crm.write(
        lambda session: open_journal(
            session,
            digest=digest,
            mapping=named.identity,
            file_name=file.name.encode("utf-8", "backslashreplace").decode(),
            now=crm.clock.now(),
        )
    )
    rejects = crm.settings.data_dir / "rejects" / reject_name(file.name, journal.run_id)
    return JournalledRecorder(crm, settler, journal, RejectFile(rejects))


def _excuse(scratch: Scratch, dry_run: bool) -> Excuse:
    def excuse(given: TransactionInput, problems: Sequence[Problem]) -> bool:
        """Tell whether the problem is only that a dry run recorded no earlier chunk."""
        return (
            dry_run
            and all(problem.code == "UNKNOWN_ORIGINAL" for problem in problems)
            and scratch.extent(given.original or "") is not None
        )

    return excuse


@contextmanager
def _scratch(crm: Crm, digest: str, named: NamedMapping) -> Iterator[Scratch]:
    """Open the scratch space of one file and mapping, which only one import may use."""
    folder = crm.settings.data_dir / "imports"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = f"{digest[:16]}-{named.digest[:16]}"
    lock = FileLock(folder / f"{key}.lock", mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ImportFailed("another process is importing the same file; let it finish") from None
    try:
        with Scratch(folder / key) as scratch:
            yield scratch
    finally:
        lock.release()


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Let Python look for reference cycles less often; rows make none.

    At the usual rate the search takes a quarter of an import's time.
    """
    usual = gc.get_threshold()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
