"""`crmkit import`: files brought in, every line accounted for."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crmkit_cli.opening import opened
from crmkit_cli.options import HERE, AsJson, DataDir
from crmkit_cli.printing import note, print_json, print_table
from crmkit_cli.progress import progress_bar

if TYPE_CHECKING:
    from crmkit.importing import ImportReport, Progress


def transactions(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV, plain or gzipped, or XLSX.")
    ],
    mapping: Annotated[
        str,
        typer.Option(
            "--mapping", help="online-retail, generic, excel-zh, or the path of one of your own."
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would become of each line; write nothing.")
    ] = False,
    data_dir: DataDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Record the transactions of a file; a second run takes up where the first one stopped."""
    from crmkit.importing import import_transactions

    with opened(data_dir, must_be_ready=True) as crm, progress_bar() as report:

        def tell(progress: "Progress") -> None:
            report(progress.phase, progress.lines_done, progress.lines_total, _pace(progress))

        done = import_transactions(crm, file, mapping, dry_run=dry_run, progress=tell)
    if as_json:
        print_json(_as_object(done))
    else:
        _show(done)


def _pace(progress: "Progress") -> str:
    pace = f"{progress.lines_per_second:,.0f} lines/s"
    left = progress.seconds_left
    return pace if left is None else f"{pace}, {left // 60:.0f}:{left % 60:02.0f} left"


def _as_object(done: "ImportReport") -> dict[str, Any]:
    return {
        "file": done.file,
        "mapping": done.mapping,
        "dry_run": done.dry_run,
        "lines": done.lines,
        "taken": done.taken,
        "known": done.known,
        "rejected": done.rejected,
        "reject_file": done.reject_file,
        "reasons": dict(done.reasons),
        "resumed_at": done.resumed_at,
        "unused_columns": list(done.unused_columns),
        "unchecked": done.unchecked,
        "seconds": round(done.seconds, 3),
    }


def _show(done: "ImportReport") -> None:
    if done.resumed_at is not None:
        note(f"Took up an interrupted import after line {done.resumed_at:,}.")
    if done.unused_columns:
        note(f"Columns the mapping does not read: {', '.join(done.unused_columns)}.")
    would = "would be taken" if done.dry_run else "taken"
    counts = [(would, done.taken), ("known already", done.known), ("rejected", done.rejected)]
    print_table(
        (f"{done.lines:,} lines", ""),
        [(what, f"{count:,}") for what, count in counts]
        + [(f"  {code}", f"{count:,}") for code, count in done.reasons.items()],
    )
    for line, damage, _ in done.examples[:3]:
        where = f"{damage.field} {damage.value!r}: " if damage.field else ""
        print(f"line {line}: {where}{damage.message}")
    if done.unchecked:
        note(f"{done.unchecked:,} lines refer to others of this file; only a real import can tell.")
    if done.reject_file is not None:
        print(f"Rejected lines, with reasons: {done.reject_file}")
    print(f"{done.seconds:,.1f} s, {done.lines / max(done.seconds, 0.001):,.0f} lines/s")
