"""Jobs: work that plugins do now and then, a page at a time, and that may be interrupted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from sqlmodel import Session

from crmkit.errors import NotFound


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of a job.

    Attributes:
        now: the instant of its start, aware, in UTC; it stands still while the job runs.
        today: the business day of that instant, in the shops' time zone.
    """

    now: datetime
    today: date


@dataclass(frozen=True, slots=True)
class Job:
    """Work that is done in steps until nothing is left of it.

    How far it has come lies in the rows themselves: what is done is not found again. So a job can
    be killed and run again at any time, and by two processes at once.

    Attributes:
        name: the plugin's name and what is done, such as `loyalty.expiry`.
        summary: one sentence.
        step: does at most a page of work in a writing session of its own, and returns how much
            it found to do; 0 means that nothing was left. It goes by the run's time, never by
            a clock, and may be called again from the start after a lost race.
    """

    name: str
    summary: str
    step: Callable[[Session, JobRun], int]


class UnknownJob(NotFound):
    """No plugin that is on has a job of that name.

    Attributes:
        known: the names there are.
    """

    code: ClassVar[str] = "UNKNOWN_JOB"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__("job named", name)
        self.known = list(known)
        self.args = (f"{self}; there are: {', '.join(self.known) or 'none'}",)


def job_named(jobs: Mapping[str, Job], name: str) -> Job:
    """Return the job of a name.

    Raises:
        UnknownJob: there is none.
    """
    if name not in jobs:
        raise UnknownJob(name, list(jobs))
    return jobs[name]
