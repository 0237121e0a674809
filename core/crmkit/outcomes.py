"""Collecting what became of the rows of a batch."""

from collections.abc import Iterable

from crmkit.errors import Problem, ValidationFailed
from crmkit.inputs import ErrorPolicy, Outcome, RowResult


class Outcomes:
    """The results of a batch as they come in, in any order."""

    def __init__(self) -> None:
        self._results: dict[int, RowResult] = {}
        self._repeats: dict[int, int] = {}

    def add(self, result: RowResult) -> None:
        """Note one row's result."""
        self._results[result.row] = result

    def reject(self, row: int, problems: Iterable[Problem]) -> None:
        """Note that a row cannot be taken."""
        self._results[row] = RowResult(row, Outcome.REJECTED, None, tuple(problems))

    def repeat(self, row: int, first: int) -> None:
        """Note that a row says the same as an earlier row of this batch."""
        self._repeats[row] = first

    def enforce(self, policy: ErrorPolicy) -> None:
        """Raise ValidationFailed if the policy refuses a batch with a bad row."""
        if policy == ErrorPolicy.REJECT_BATCH:
            problems = [
                problem for row in sorted(self._results) for problem in self._results[row].problems
            ]
            if problems:
                raise ValidationFailed(problems)

    def in_order(self) -> list[RowResult]:
        """Return one result per row, in row order."""
        for row, first in self._repeats.items():
            original = self._results[first]
            taken = original.outcome is not Outcome.REJECTED
            outcome = Outcome.KNOWN if taken else Outcome.REJECTED
            problems = tuple(problem._replace(row=row) for problem in original.problems)
            self._results[row] = RowResult(row, outcome, original.id, problems)
        return [self._results[row] for row in sorted(self._results)]
