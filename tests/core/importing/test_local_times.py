from zoneinfo import ZoneInfo

import pytest

from crmkit.importing.local_times import parse_local
from crmkit.times import TimeError

_LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2011-07-01 08:26:00", "2011-07-01T07:26:00+00:00"),
        ("2011-01-01T08:26", "2011-01-01T08:26:00+00:00"),
        ("2011-07-01T08:26:00+08:00", "2011-07-01T00:26:00+00:00"),
        ("2011-07-01", "2011-06-30T23:00:00+00:00"),
        ("1.7.2011 8:26", "2011-07-01T07:26:00+00:00"),
    ],
)
def test_local_times_become_instants(text: str, instant: str) -> None:
    assert parse_local(text, ("%d.%m.%Y %H:%M",), _LONDON).isoformat() == instant


def test_a_time_that_the_clock_shows_twice_is_the_first() -> None:
    assert (
        parse_local("2011-10-30 01:30:00", (), _LONDON).isoformat().startswith("2011-10-30T00:30")
    )


def test_a_time_that_the_clock_skips_counts_as_not_yet_put_forward() -> None:
    assert (
        parse_local("2011-03-27 01:30:00", (), _LONDON).isoformat().startswith("2011-03-27T01:30")
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "noon",
        "2011-02-30 10:00",
        "2011-07-01 25:00",
        "２０１１-07-01",
        "0001-01-01 00:00+23:00",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(TimeError):
        parse_local(text, ("%d.%m.%Y",), _LONDON)
