"""Kill -9 under load: what was acknowledged is there afterwards."""

import subprocess
import sys
from pathlib import Path

KILLS = 20
PROGRAM = """
import os, random, sys, time
from pathlib import Path
from threading import Thread
from sqlalchemy import text
from crmkit.database import Database

INSERT = text("INSERT INTO number (value) VALUES (:value)")
url, kills = sys.argv[1], int(sys.argv[2])


def client(database, start, pipe):
    for value in range(start, start + 1_000_000):
        with database.write() as session:
            session.execute(INSERT, {"value": value})
        os.write(pipe, b"%d\\n" % value)  # short enough to be written whole


def load(round_, pipe):
    database = Database(url)
    for number in range(16):
        start = (round_ * 16 + number) * 1_000_000
        Thread(target=client, args=(database, start, pipe)).start()


def killed(round_):
    "Return what a process had acknowledged when it was killed."
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        load(round_, writing)
        time.sleep(60)
    os.close(writing)
    first = os.read(reading, 65536)
    time.sleep(random.uniform(0, 0.08))
    os.kill(process, 9)
    os.waitpid(process, 0)
    with open(reading, "rb") as rest:
        return [int(line) for line in (first + rest.read()).split()]


def stored():
    database = Database(url)
    with database.read() as session:
        found = set(session.execute(text("SELECT value FROM number")).scalars())
        assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    database.close()
    return found


def prepare():
    database = Database(url)
    with database.write() as session:
        session.execute(text("CREATE TABLE number (value INTEGER PRIMARY KEY)"))
    database.close()


prepare()
acknowledged = []
for round_ in range(kills):
    acknowledged += killed(round_)
    assert not set(acknowledged) - stored()
print(len(acknowledged), len(stored()))
"""


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'numbers.sqlite3'}"

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, url, str(KILLS)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    acknowledged, stored = map(int, done.stdout.split())
    assert KILLS <= acknowledged <= stored
