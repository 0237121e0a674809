"""Transactions that were sent before: answered as the first time, or refused if they differ."""

from collections.abc import Sequence

from sqlmodel import Session

from crmkit.errors import Problem
from crmkit.inputs import Outcome, RowResult
from crmkit.outcomes import Outcomes
from crmkit.stored_transactions import find_stored
from crmkit.transaction_rules import CheckedTransaction


def leave_out_known(
    session: Session, checked: Sequence[CheckedTransaction], outcomes: Outcomes
) -> list[CheckedTransaction]:
    """Answer repeats and contradictions; return the transactions that are new."""
    stored = find_stored(session, [(each.source, each.external_id) for each in checked])
    first: dict[tuple[str, str], CheckedTransaction] = {}
    repeats: list[tuple[CheckedTransaction, CheckedTransaction]] = []
    for each in checked:
        key = (each.source, each.external_id)
        known = stored.get(key)
        if known is not None:
            if known.fingerprint == each.fingerprint:
                outcomes.add(RowResult(each.row, Outcome.KNOWN, known.id))
            else:
                outcomes.reject(each.row, [_conflict(each)])
        elif key not in first:
            first[key] = each
        elif first[key].fingerprint == each.fingerprint:
            repeats.append((each, first[key]))
        else:
            outcomes.reject(each.row, [_conflict(each)])
    for each, original in repeats:
        outcomes.repeat(each.row, original.row)
    return list(first.values())


def _conflict(each: CheckedTransaction) -> Problem:
    return Problem(
        "EXTERNAL_ID_CONFLICT",
        "this external id was recorded with other content; correct it by a new transaction",
        each.row,
        "externalId",
        each.external_id,
    )
