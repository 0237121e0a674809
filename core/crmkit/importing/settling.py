"""Recording a chunk of documents, and saying of every line what became of it."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from crmkit.errors import Problem, Refused
from crmkit.importing.converting import Converter, Document
from crmkit.importing.explaining import explain
from crmkit.importing.grouping import Run
from crmkit.importing.rejects import Rejected, record_text
from crmkit.importing.rows import Damage
from crmkit.inputs import ErrorPolicy, Outcome, RowResult, TransactionInput
from crmkit.plugins import PluginRegistry
from crmkit.transactions import read_transactions, record_transactions

Excuse = Callable[[TransactionInput, Sequence[Problem]], bool]


@dataclass(slots=True)
class Settled:
    """What became of the lines of a chunk.

    Attributes:
        unchecked: lines counted as taken that a dry run could not follow.
    """

    counts: Counter[Outcome] = field(default_factory=Counter)
    rejected: list[Rejected] = field(default_factory=list)
    unchecked: int = 0


@dataclass(frozen=True, slots=True)
class Settler:
    """Records documents of one file.

    Attributes:
        excuse: tells problems that only a dry run has.
    """

    registry: PluginRegistry
    converter: Converter
    now: datetime
    excuse: Excuse

    def settle(
        self, session: Session, documents: Sequence[Document], *, singly: bool = False
    ) -> Settled:
        """Record documents; a document that cannot be recorded whole is not recorded at all.

        Args:
            singly: find the transactions that a plugin refuses, and leave only those out.

        Raises:
            Refused: a plugin refuses one, and it was not to be found.
        """
        settled = Settled()
        good: list[tuple[Run, TransactionInput]] = []
        for run, given in documents:
            if isinstance(given, dict):
                self._reject(settled, run, given)
            else:
                good.append((run, given))
        record = self._record_around_refusals if singly else self._record
        results = record(session, [given for _, given in good])
        for (run, given), result in zip(good, results, strict=True):
            if result.outcome is not Outcome.REJECTED:
                settled.counts[result.outcome] += len(run.rows)
            elif self.excuse(given, result.problems):
                settled.counts[Outcome.TAKEN] += len(run.rows)
                settled.unchecked += len(run.rows)
            else:
                self._reject(settled, run, explain(run, result.problems, self.converter.columns))
        settled.rejected.sort()
        return settled

    def _record(self, session: Session, inputs: list[TransactionInput]) -> list[RowResult]:
        return record_transactions(
            session,
            self.registry,
            read_transactions(inputs, self.converter.zone),
            now=self.now,
            policy=ErrorPolicy.REJECT_ROWS,
            create_missing_customers=True,
        )

    def _record_around_refusals(
        self, session: Session, inputs: list[TransactionInput]
    ) -> list[RowResult]:
        try:
            with session.begin_nested():
                return self._record(session, inputs)
        except Refused as refusal:
            if len(inputs) == 1:
                problem = Problem(refusal.code, str(refusal))
                return [RowResult(0, Outcome.REJECTED, None, (problem,))]
        middle = len(inputs) // 2
        return self._record_around_refusals(
            session, inputs[:middle]
        ) + self._record_around_refusals(session, inputs[middle:])

    def _reject(self, settled: Settled, run: Run, damages: dict[int, Damage]) -> None:
        settled.counts[Outcome.REJECTED] += len(run.rows)
        settled.rejected += rejections(run, damages)


def rejections(run: Run, damages: dict[int, Damage]) -> Iterable[Rejected]:
    """Return a reason for every line of a document that is rejected."""
    first = min(damages)
    others = Damage(
        "DOCUMENT_REJECTED", f"line {first} of the same document: {damages[first].code}"
    )
    for number, row in zip(run.numbers, run.rows, strict=True):
        yield Rejected(number, damages.get(number, others), record_text(row))
