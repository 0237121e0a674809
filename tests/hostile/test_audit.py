"""The audit of the npm package graphql-http, which checks the GraphQL-over-HTTP specification."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.hostile.conftest import Serve

AUDIT = Path(__file__).parent / "audit"
MAY = {"5A70", "D6D5", "6A70"}
"""Audits of requests over GET, which we refuse."""
ASKS_FOR_TYPE = {"28B9", "2EA1"}
"""Audits that tell variables by introspection, which production refuses."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the audit and what it needs, kept from one run to the next."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("the audit needs Node")
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    lock = (AUDIT / "package-lock.json").read_bytes()
    cache = home / f"crmkit-audit-{hashlib.sha256(lock).hexdigest()[:12]}"
    shutil.copytree(AUDIT, cache, dirs_exist_ok=True)
    if not (cache / "node_modules" / ".package-lock.json").exists():
        command = ["npm", "ci", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=cache, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            pytest.skip(f"npm cannot install the audit: {done.stderr[-200:]}")
    return cache


@pytest.mark.parametrize(
    ("profile", "expected"), [("development", set()), ("production", ASKS_FOR_TYPE)]
)
def test_nothing_that_must_or_should_be_is_missed(
    serve: Serve, folder: Path, profile: str, expected: set[str]
) -> None:
    with serve(profile) as server:
        done = subprocess.run(
            ["node", "audit.js", server.url, server.token],
            cwd=folder, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
    found = json.loads(done.stdout)
    missed = {each["id"]: each["status"] for each in found if each["status"] != "ok"}

    assert len(found) == 61
    assert {name for name, status in missed.items() if status == "notice"} == MAY
    assert {name for name, status in missed.items() if status != "notice"} == expected
