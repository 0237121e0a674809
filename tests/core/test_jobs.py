"""Jobs: steps until nothing is left, each a write of its own, by a time that stands still."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from crmkit import Crm, FixedClock, Job, JobRun, Plugin, PluginError, Settings, hookimpl
from crmkit.jobs import UnknownJob
from crmkit.testing import NOON, CrmFactory


class Sweeps:
    """A plugin whose job takes tags off, two at a time, and fails when told to."""

    def __init__(self, name: str = "sweeps", *jobs: Any) -> None:
        self.plugin = Plugin(name=name, version="1", summary="For a test.")
        self.runs: list[JobRun] = []
        self.fails_at = 0
        self._jobs = jobs or (Job("sweeps.tags", "Takes tags off.", self.step),)

    @hookimpl
    def register_jobs(self) -> Any:
        return self._jobs

    def step(self, session: Session, run: JobRun) -> int:
        self.runs.append(run)
        found = session.execute(text("SELECT name FROM sweeps_left LIMIT 2")).scalars().all()
        for name in found:
            session.execute(text("DELETE FROM sweeps_left WHERE name = :name"), {"name": name})
        if len(self.runs) == self.fails_at:
            raise RuntimeError("power cut")
        return len(found)


@pytest.fixture
def plugin() -> Sweeps:
    return Sweeps()


@pytest.fixture
def crm(crm_factory: CrmFactory, plugin: Sweeps) -> Crm:
    crm = crm_factory(plugin, timezone="Asia/Shanghai")
    with crm.database.write() as session:
        session.execute(text("CREATE TABLE sweeps_left (name VARCHAR)"))
        for name in "abcde":
            session.execute(text("INSERT INTO sweeps_left VALUES (:name)"), {"name": name})
    return crm


def left(crm: Crm) -> int:
    with crm.read() as session:
        return int(session.execute(text("SELECT count(*) FROM sweeps_left")).scalar_one())


def test_a_job_runs_step_by_step_until_nothing_is_left(crm: Crm, plugin: Sweeps) -> None:
    assert crm.run_job("sweeps.tags") == 5
    assert len(plugin.runs) == 4
    assert left(crm) == 0


def test_what_was_done_stays_done_when_a_step_fails(crm: Crm, plugin: Sweeps) -> None:
    plugin.fails_at = 2

    with pytest.raises(RuntimeError):
        crm.run_job("sweeps.tags")

    assert left(crm) == 3
    assert crm.run_job("sweeps.tags") == 3


def test_the_time_of_a_run_stands_still_and_its_day_is_the_shops(
    crm: Crm, plugin: Sweeps, clock: FixedClock
) -> None:
    clock.advance(timedelta(hours=13))  # 17:00 in UTC is past midnight in Shanghai

    crm.run_job("sweeps.tags")

    assert set(plugin.runs) == {JobRun(NOON + timedelta(hours=13), NOON.date() + timedelta(days=1))}


def test_a_name_that_no_job_has_is_refused_with_those_there_are(crm: Crm) -> None:
    with pytest.raises(UnknownJob, match=r"'sweeps\.dust'; there are: sweeps\.tags"):
        crm.run_job("sweeps.dust")


def nothing(_session: Session, _run: JobRun) -> int:
    return 0


@pytest.mark.parametrize(
    ("jobs", "told"),
    [
        ([Job("dust", "", nothing)], "must be named ant"),
        ([Job("ant.dust", "", nothing)] * 2, "'ant.dust' is also contributed by plugin 'ant'"),
        (["dust"], "'dust' is not a Job"),
    ],
)
def test_a_job_with_a_wrong_name_stops_the_start(jobs: list[Any], told: str) -> None:
    with pytest.raises(PluginError, match=told):
        Crm(Settings(plugins=(), data_dir=Path("no-folder")), plugins=[Sweeps("ant", *jobs)])
