"""Many who redeem points of one account at once, and processes that are killed meanwhile."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from crmkit_loyalty.errors import InsufficientPoints
from crmkit_loyalty.verifying import run as verify

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

TERMS = {"value": "0.01"}
REDEEMERS, ROUNDS = 64, 24

REDEEMER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID
from crmkit import Crm, Settings
from crmkit_loyalty.errors import InsufficientPoints
from crmkit_loyalty.lots import AccountKey
from crmkit_loyalty.redeemed import Caller
from crmkit_loyalty.redeeming import redeem
from crmkit_loyalty.redeeming_rules import Purchase

plugin = {"loyalty": {"redemption": {"value": "0.01"}, "lifetime_months": 12}}
crm = Crm(Settings(database_url=sys.argv[1], plugins=("loyalty",), plugin=plugin))
settings = crm.registry["loyalty"].settings
account = AccountKey(UUID(sys.argv[2]), "points")

def spend(key):
    caller = Caller("ann", crm.clock.now(), key)
    try:
        crm.write(lambda session: redeem(session, account, 10, Purchase(), caller, settings))
    except InsufficientPoints:
        return 0
    return 1

with ThreadPoolExecutor(32) as pool:
    print("ready", flush=True)
    for round in sys.stdin:
        print(sum(pool.map(spend, [f"{sys.argv[3]}-{round.strip()}-{n}" for n in range(32)])),
              flush=True)
"""


def spend(till: Till, key: str) -> bool:
    try:
        till.redeem("ann", 10, key=key)
    except InsufficientPoints:
        return False
    return True


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_64_redeemers_in_24_rounds_spend_exactly_what_there_is(till_factory: TillFactory) -> None:
    till = till_factory(redemption=TERMS, lifetime_months=12)
    with ThreadPoolExecutor(REDEEMERS) as pool:
        for number in range(ROUNDS):
            till.adjust("ann", 305 + number)  # what is left over stays for the next round
            affordable = till.balance("ann") // 10
            keys = [f"{number}-{each}" for each in range(REDEEMERS)]

            accepted = sum(pool.map(lambda key: spend(till, key), keys))

            assert accepted == min(affordable, REDEEMERS)
            assert till.account("ann")[1] == 0
    assert till.differences() == []
    assert verify(till.crm).is_good


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_redeemers_in_two_processes_spend_exactly_what_there_is(till_factory: TillFactory) -> None:
    till = till_factory(redemption=TERMS, lifetime_months=12)
    address = (till.crm.settings.url, str(till.ids["ann"]))
    redeemers = [
        subprocess.Popen(
            [sys.executable, "-c", REDEEMER, *address, name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in "ab"
    ]  # fmt: skip
    assert [read(each) for each in redeemers] == ["ready", "ready"]

    for number in range(ROUNDS):
        till.adjust("ann", 305 + number)
        affordable = till.balance("ann") // 10
        for each in redeemers:
            assert each.stdin is not None
            each.stdin.write(f"{number}\n")
            each.stdin.flush()

        assert sum(int(read(each)) for each in redeemers) == min(affordable, REDEEMERS)
    for each in redeemers:
        each.communicate(timeout=60)
    assert till.differences() == []
    assert verify(till.crm).is_good


def read(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


SPENDER = """
import sys
from pathlib import Path
from uuid import UUID
from crmkit import Crm, FixedClock, Settings
from crmkit.testing import NOON
from crmkit_loyalty.holds import redeem_held
from crmkit_loyalty.lots import AccountKey
from crmkit_loyalty.redeemed import Caller
from crmkit_loyalty.redeeming import redeem
from crmkit_loyalty.redeeming_rules import Purchase

plugin = {"loyalty": {"redemption": {"value": "0.01"}, "lifetime_months": 12}}
crm = Crm(Settings(
    data_dir=Path(sys.argv[1]), database_url=sys.argv[2], plugins=("loyalty",), plugin=plugin,
), clock=FixedClock(NOON))
settings = crm.registry["loyalty"].settings
account = AccountKey(UUID(sys.argv[3]), "points")
caller = lambda key: Caller("ann", crm.clock.now(), key)
print("ready", flush=True)
for n in range(2000):
    if n % 2:
        crm.write(lambda s: redeem(s, account, 3, Purchase(), caller(f"r{n}"), settings))
    else:
        held = crm.write(
            lambda s: redeem(s, account, 3, Purchase(), caller(f"r{n}"), settings, holds=True))
        crm.write(lambda s: redeem_held(s, held.id, None, Purchase(), caller(f"e{n}"), settings))
"""


@pytest.mark.parametrize("seconds", [0.2, 0.7])
def test_kill_while_redeeming_loses_and_doubles_nothing(
    till_factory: TillFactory, tmp_path: Path, seconds: float
) -> None:
    till = till_factory(redemption=TERMS, lifetime_months=12)
    for _ in range(5):
        till.adjust("ann", 20_000)
    till.crm.close()  # another process writes the file now
    address = str(tmp_path), till.crm.settings.url, str(till.ids["ann"])
    command = [sys.executable, "-c", SPENDER, *address]

    with subprocess.Popen(command, stdout=subprocess.PIPE) as spender:
        assert spender.stdout is not None
        assert spender.stdout.readline() == b"ready\n"
        time.sleep(seconds)
        os.kill(spender.pid, signal.SIGKILL)
    assert till.differences() == []
    assert verify(till.crm).is_good
    for number in range(1, 200, 2):
        till.redeem("ann", 3, key=f"r{number}")  # those that were answered before count once

    till.crm.clock.advance(timedelta(hours=1))
    till.crm.run_job("loyalty.holds")
    moves = till.deltas("ann")
    redeemed = sum(kind == "redemption" for kind, _ in moves)
    assert till.account("ann") == (100_000 - 3 * redeemed, 0)
    assert sum(points for _, points in moves) == 100_000 - 3 * redeemed
    assert redeemed >= 100
    assert till.differences() == []
    assert verify(till.crm).is_good
