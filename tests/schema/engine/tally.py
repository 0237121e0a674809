"""What comparisons came to."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from crmkit_schema.requests import GraphQLAnswer, GraphQLRequest


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One operation that plans answered in another way than the reference executor.

    Attributes:
        seed: of the round in which it came up.
        what: answers that differ, tables that do, or statements that are too many.
    """

    dialect: str
    seed: int
    role: str
    what: str
    request: GraphQLRequest
    planned: bytes
    expected: bytes

    def __str__(self) -> str:
        return (
            f"{self.what} ({self.dialect}, seed {self.seed}, {self.role})\n{self.request.query}\n"
            f"variables {self.request.variables!r}\n"
            f"planned  {self.planned.decode()}\nexpected {self.expected.decode()}\n"
        )


@dataclass
class Tally:
    """Counts of compared operations.

    Attributes:
        by: operations compared and answered by plans, for each dialect, role and kind.
        reasons: why operations were left to the reference executor.
        codes: of the errors in answers of plans.
        refused: operations that cost too much to be run at all.
        quick: answers that were given without a thread, too.
        invalid: documents that were drawn in vain.
        statements: how many statements queries took that plans answered.
    """

    compared: int = 0
    covered: int = 0
    refused: int = 0
    invalid: int = 0
    quick: int = 0
    by: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    statements: Counter[int] = field(default_factory=Counter)
    mismatches: list[Mismatch] = field(default_factory=list)

    def note(
        self, labels: tuple[str, ...], reason: str | None, expected: GraphQLAnswer, statements: int
    ) -> None:
        """Count one operation.

        Args:
            labels: its dialect, its caller's role, its kind.
            reason: why it was left to the reference executor; None if a plan answered it.
        """
        self.compared += 1
        self.covered += reason is None
        for each in labels:
            self.by[each, "compared"] += 1
            self.by[each, "by plan"] += reason is None
        if reason is not None:
            self.reasons[reason] += 1
            return
        self.statements[statements] += 1
        self.codes.update({error["extensions"]["code"] for error in expected.errors} or {"none"})

    def add(self, other: "Tally") -> None:
        """Add what another run came to."""
        self.compared += other.compared
        self.covered += other.covered
        self.refused += other.refused
        self.invalid += other.invalid
        self.quick += other.quick
        self.by += other.by
        self.reasons += other.reasons
        self.codes += other.codes
        self.statements += other.statements
        self.mismatches += other.mismatches

    def report(self, reasons: int = 15) -> str:
        """Return everything as lines of text."""
        lines = [f"{self.invalid:,} documents invalid, {self.refused:,} operations too costly"]
        for (label, kind), count in sorted(self.by.items()):
            if kind == "compared":
                planned = self.by[label, "by plan"]
                lines.append(f"{count:9,} {label}: {planned / count:.1%} by plan")
        lines.append(f"{self.quick:9,} answered without a thread, too")
        lines.append(f"codes in answers by plan: {_counted(self.codes)}")
        lines.append(f"statements of plans: {_counted(self.statements)}")
        lines += [f"{count:9,} left: {why}" for why, count in self.reasons.most_common(reasons)]
        return "\n".join(lines)


def _counted(counter: Counter[Any]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counter.most_common())
