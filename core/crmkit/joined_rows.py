"""Putting the rows of several requests into one batch, and giving each its own results back."""

from collections.abc import Sequence
from itertools import islice

from crmkit.inputs import RowResult
from crmkit.transaction_rules import CheckedTransaction


def in_one_batch(requests: Sequence[Sequence[CheckedTransaction]]) -> list[CheckedTransaction]:
    """Return the transactions of all requests, numbered through."""
    together = [each for request in requests for each in request]
    if len(requests) == 1:
        return together
    return [each._replace(row=row) for row, each in enumerate(together)]


def by_request(
    requests: Sequence[Sequence[object]], results: Sequence[RowResult]
) -> list[list[RowResult]]:
    """Return the results of each request, numbered as its own rows are."""
    if len(requests) == 1:
        return [list(results)]
    remaining = iter(results)
    return [
        [_numbered(row, each) for row, each in enumerate(islice(remaining, len(request)))]
        for request in requests
    ]


def _numbered(row: int, result: RowResult) -> RowResult:
    problems = tuple(problem._replace(row=row) for problem in result.problems)
    return RowResult(row, result.outcome, result.id, problems)
