"""The job that gives points on birthdays: once a year, whenever and however often it runs."""

from calendar import isleap
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any, TypeAlias

import pytest
from sqlalchemy import text

from crmkit import Crm, CustomerInput
from crmkit_loyalty import birthdays, happening_posting
from crmkit_loyalty.birthdays import celebrated_on
from earning_checker import points_from

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

JOB = "loyalty.birthdays"
RULE: dict[str, Any] = {"name": "birthday", "kind": "birthday", "points": 50}


def born(till: Till, who: str, birth_on: str | None) -> None:
    till.crm.upsert_customers([CustomerInput("till", who, birth_on=birth_on)])
    till.enrol(who)


def go_to(till: Till, day: str, hour: int = 12) -> None:
    at = datetime.fromisoformat(day).replace(hour=hour, tzinfo=UTC)
    till.crm.clock.advance(at - till.crm.clock.now())


def dates(till: Till, who: str) -> list[str]:
    return [entry.occurred_at.date().isoformat() for entry in till.entries(who)]


def test_a_birthday_gives_points_once_a_year(till_factory: TillFactory) -> None:
    till = till_factory(rules=[RULE])
    born(till, "ann", "1990-06-15")
    born(till, "bob", "1990-06-16")

    assert till.crm.run_job(JOB) == 1
    assert till.crm.run_job(JOB) == 0
    go_to(till, "2026-06-16")
    assert till.crm.run_job(JOB) == 1
    go_to(till, "2027-06-15")
    assert till.crm.run_job(JOB) == 1

    assert dates(till, "ann") == ["2026-06-15", "2027-06-15"]
    assert dates(till, "bob") == ["2026-06-16"]
    assert till.balance("ann") == 100
    assert till.differences() == []


def test_the_entry_bears_the_birthday_and_says_why(till_factory: TillFactory) -> None:
    till = till_factory(rules=[RULE], timezone="Asia/Shanghai", lifetime_days=30)
    born(till, "ann", "1990-06-20")
    go_to(till, "2026-06-23")

    till.crm.run_job(JOB)

    (entry,) = till.entries("ann")
    assert entry.occurred_at == datetime(2026, 6, 19, 16, tzinfo=UTC)  # midnight in Shanghai
    assert (entry.source, entry.source_id, entry.line) == ("customer", till.ids["ann"], 2026)
    assert entry.explanation["business_on"] == "2026-06-20"
    assert entry.explanation["unit"] == "birthday"
    assert points_from(entry.explanation) == entry.points_delta == 50
    assert [until for _, _, until in till.lots("ann")] == [datetime(2026, 7, 19, 16, tzinfo=UTC)]


def test_a_run_makes_up_for_seven_days_and_no_more(till_factory: TillFactory) -> None:
    till = till_factory(rules=[RULE])
    born(till, "ann", "1990-12-29")
    born(till, "bob", "1990-12-28")
    born(till, "eve", "1990-01-05")
    born(till, "zoe", "1990-01-06")
    go_to(till, "2027-01-05")

    assert till.crm.run_job(JOB) == 2

    assert [dates(till, who) for who in ("ann", "bob", "eve", "zoe")] == [
        ["2026-12-29"], [], ["2027-01-05"], [],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2027-02-27", []),
        ("2027-02-28", ["2027-02-28"]),
        ("2027-03-01", ["2027-02-28"]),
        ("2028-02-28", []),
        ("2028-02-29", ["2028-02-29"]),
        ("2028-03-02", ["2028-02-29"]),
    ],
)
def test_who_was_born_on_29_february_celebrates_on_the_28th_in_other_years(
    till_factory: TillFactory, day: str, expected: list[str]
) -> None:
    till = till_factory(rules=[RULE])
    born(till, "ann", "2000-02-29")
    go_to(till, day)

    till.crm.run_job(JOB)
    till.crm.run_job(JOB)

    assert dates(till, "ann") == expected


def test_everybody_has_one_birthday_in_each_year() -> None:
    days = [date(1999, 1, 1) + timedelta(n) for n in range(4 * 365 + 1)]

    for birth_on, year in product(days, (2021, 2024, 2100)):
        on = celebrated_on(birth_on, year)
        is_leap_day = (birth_on.month, birth_on.day) == (2, 29) and not isleap(year)
        assert on == date(year, birth_on.month, 28 if is_leap_day else birth_on.day)


def test_who_became_known_later_or_has_just_been_born_gets_nothing(
    till_factory: TillFactory,
) -> None:
    till = till_factory(rules=[RULE])
    go_to(till, "2026-06-20")
    born(till, "eve", "1990-06-18")
    born(till, "zoe", "1990-06-20")
    born(till, "kid", "2026-06-20")
    go_to(till, "2026-06-21")

    assert till.crm.run_job(JOB) == 1

    (entry,) = till.entries("zoe")
    assert entry.occurred_at == datetime(2026, 6, 20, 12, tzinfo=UTC)  # not before she was known
    assert till.entries("eve") == till.entries("kid") == []


def test_another_birth_date_gives_no_second_birthday_in_a_year(till_factory: TillFactory) -> None:
    till = till_factory(rules=[RULE])
    born(till, "ann", "1990-06-15")
    till.crm.run_job(JOB)

    born(till, "ann", "1990-06-16")
    go_to(till, "2026-06-16")

    assert till.crm.run_job(JOB) == 0
    assert dates(till, "ann") == ["2026-06-15"]


def test_whom_no_rule_fits_is_looked_at_once(till_factory: TillFactory) -> None:
    till = till_factory(
        rules=[{**RULE, "weekdays": ["sunday"]}, {**RULE, "name": "b", "budget": 50}]
    )
    born(till, "ann", "1990-06-15")
    born(till, "bob", "1990-06-15")

    assert till.crm.run_job(JOB) == 2
    assert till.crm.run_job(JOB) == 0

    assert till.balance("ann") + till.balance("bob") == 50


def test_without_a_rule_the_job_does_nothing_and_marks_nobody(till_factory: TillFactory) -> None:
    till = till_factory()
    born(till, "ann", "1990-06-15")

    assert till.crm.run_job(JOB) == 0

    with till.crm.read() as session:
        assert session.execute(text("SELECT count(*) FROM loyalty_birthday")).scalar() == 0


def test_a_job_that_breaks_off_goes_on_where_it_was(
    till_factory: TillFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(birthdays, "CUSTOMERS_MAX", 2)
    till = till_factory(rules=[RULE])
    names = [f"c{n}" for n in range(7)]
    for name in names:
        born(till, name, "1990-06-15")
    posted, calls = happening_posting.post, []

    def break_off(*given: Any) -> None:
        posted(*given)
        calls.append(given)
        if len(calls) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(happening_posting, "post", break_off)
    with pytest.raises(KeyboardInterrupt):
        till.crm.run_job(JOB)
    assert sum(till.balance(name) for name in names) == 4 * 50

    assert till.crm.run_job(JOB) == 3

    assert {till.balance(name) for name in names} == {50}
    assert till.differences() == []


def test_two_runs_at_once_give_each_birthday_once(
    till_factory: TillFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(birthdays, "CUSTOMERS_MAX", 3)
    till = till_factory(rules=[RULE])
    names = [f"c{n}" for n in range(40)]
    for name in names:
        born(till, name, "1990-06-15")
    crms = [till.crm]
    if till.crm.database.dialect == "postgresql":  # SQLite has one process that writes
        crms.append(Crm(till.crm.settings, clock=till.crm.clock))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: crms[n % len(crms)].run_job(JOB), range(4)))
    for crm in crms[1:]:
        crm.close()

    assert {till.balance(name) for name in names} == {50}
    assert till.differences() == []
