"""Progress on a terminal, and silence anywhere else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[str, int, int | None, str], None]
"""Called with what is being done, how much is done, how much there is, and the pace in words."""


@contextmanager
def progress_bar(*, is_quiet: bool = False) -> Iterator[Report]:
    """Show a bar on standard error while the block runs; it vanishes afterwards.

    Args:
        is_quiet: show nothing, even on a terminal.
    """
    from rich.progress import BarColumn, Progress, TextColumn

    from crmkit_cli.printing import console

    where = console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[pace]}"),
    )
    hidden = is_quiet or not where.is_terminal
    with Progress(*columns, console=where, transient=True, disable=hidden) as progress:
        task = progress.add_task("", total=None, pace="")

        def report(what: str, done: int, total: int | None, pace: str) -> None:
            progress.update(task, description=what, completed=done, total=total, pace=pace)

        yield report
