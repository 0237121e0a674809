"""What plugins cost a query that does not touch them: 0, 10 and 50 of them beside each other.

Each has a table and fields on customers and transactions. `python -m
tests.benchmarks.serving.idle_plugins` prints the server's CPU per request as a multiple of that
without them.
"""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from string import Template

from tests.benchmarks.serving.asking import request
from tests.benchmarks.serving.cases import cases
from tests.benchmarks.serving.filling import DIALECTS, FOLDER, Shop, filled
from tests.benchmarks.serving.measuring import client, sample
from tests.benchmarks.serving.postgres import PostgresServer, postgres_server
from tests.benchmarks.serving.servers import SERVERS
from tests.benchmarks.serving.starting import started

from crmkit import Crm, Settings
from crmkit.migrating import upgrade

_COUNTS = (0, 10, 50)
_READS = ("Q1", "Q2")
_PLUGIN = Template('''
"""Looks on."""

from uuid import UUID

import strawberry
from sqlmodel import Field, SQLModel

from crmkit import Migration, Permission, Plugin, SchemaContribution, hookimpl, new_id, table_of
from crmkit_schema import mapped, object_type, related


class Note(SQLModel, table=True):
    __tablename__ = "$name"
    id: UUID = Field(default_factory=new_id, primary_key=True)
    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    text: str


@object_type(Note, permission="$name.read", name="$type")
class CustomerNote:
    """A note."""

    text: str = mapped("What it says.", filter=True)


@strawberry.type
class CustomerFields:
    """What customers get."""

    ${field}_notes: list[CustomerNote] = related("Notes.", child="customer_id")


@strawberry.type
class TransactionFields:
    """What transactions get."""

    ${field}_notes: list[CustomerNote] = related(
        "Notes.", parent="customer_id", child="customer_id"
    )


table = table_of(Note)
made = Migration("1", lambda op: table.create(op.get_bind()), lambda op: table.drop(op.get_bind()))
plugin = Plugin(
    "$name", "1", "Looks on.", permissions=[Permission("$name.read", "See notes.", ["clerk"])]
)
parts = SchemaContribution(extends={"Customer": CustomerFields, "Transaction": TransactionFields})
register_models = hookimpl(lambda: [Note])
register_migrations = hookimpl(lambda: [made])
register_graphql = hookimpl(lambda: parts)
''')


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure on both databases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args(arguments)
    found = []
    with postgres_server(given.folder / "postgres") as postgres, client() as by:
        for dialect in DIALECTS:
            server = next(s for s in SERVERS if s.has_token and s.dialect == dialect)
            base = filled(given.folder, "XS", dialect, postgres)
            pairs = [(server, _beside(base, count, postgres)) for count in _COUNTS]
            costs: dict[tuple[str, Path], list[float]] = {}
            with started(pairs, given.folder, postgres) as up:
                for turn in range(-1, given.rounds):
                    for name in _READS:
                        for each in up if turn % 2 else reversed(up):
                            some = cases(each.shop)[name]
                            requests = [request(each, name, case, {}) for case in some]
                            taken = sample(by, each, requests, given.seconds, postgres)
                            if turn >= 0:
                                key = name, each.shop.data_dir
                                costs.setdefault(key, []).append(taken.server_cpu)
            for name in _READS:
                medians = [median(costs[name, shop.data_dir]) for _, shop in pairs]
                texts = [f"{cost / medians[0]:.2f}" for cost in medians]
                found.append(f"{dialect} {name} {medians[0]:,.0f} us x {' '.join(texts)}")
    print(f"IDLE PLUGINS 0, 10, 50: {'; '.join(found)}")


def _beside(base: Shop, count: int, postgres: PostgresServer) -> Shop:
    """Return a copy of a shop with some plugins more."""
    data_dir = base.data_dir.parent.with_name(f"idle-{count}") / base.dialect
    shutil.rmtree(data_dir, ignore_errors=True)
    shutil.copytree(base.data_dir, data_dir, ignore=shutil.ignore_patterns("*.lock"))
    for number in range(count):
        names = {"name": f"idle{number}", "type": f"Idle{number}Note", "field": f"idle{number}"}
        (data_dir / "plugins" / f"idle{number}.py").write_text(_PLUGIN.substitute(names))
    database = str(data_dir / "crmkit.sqlite3")
    if base.dialect == "postgresql":
        database = f"serving_idle_{count}"
        postgres.execute(
            f"DROP DATABASE IF EXISTS {database} WITH (FORCE)",
            f"CREATE DATABASE {database} TEMPLATE {base.database}",
        )
        options = data_dir / "crmkit.toml"
        text = options.read_text().replace(postgres.url(base.database), postgres.url(database))
        options.write_text(text)
    with Crm(Settings.load(data_dir)) as crm:
        upgrade(crm.database, crm.registry)
    return Shop(base.dialect, base.size, data_dir, database)


if __name__ == "__main__":
    main()
