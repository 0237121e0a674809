"""The one check command: `python tests/check.py`, or `--fix` to rewrite what can be rewritten.

Prints one line for each check with its time, and everything a failing one has to say.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHON = sys.executable
SCRIPTS = Path(PYTHON).parent


@dataclass(frozen=True)
class Check:
    """One thing that must hold.

    Attributes:
        command: exits with 0 if it holds.
        fix: command that makes it hold, as far as a machine can; empty if none can.
    """

    name: str
    command: Sequence[str]
    fix: Sequence[str] = ()


RUFF, GENERATE = [PYTHON, "-m", "ruff"], [PYTHON, "tests/docs/generate.py"]
CHECKS = (
    Check("lint", [*RUFF, "check", "-q"], [*RUFF, "check", "-q", "--fix"]),
    Check("format", [*RUFF, "format", "-q", "--diff"], [*RUFF, "format", "-q"]),
    Check("types", [PYTHON, "-m", "mypy"]),
    Check("layers", [str(SCRIPTS / "lint-imports"), "--no-logo"]),
    Check("made", [*GENERATE, "--check"], GENERATE),
    Check("tests", [PYTHON, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile"]),
)


def passes(check: Check, *, is_fixing: bool) -> bool:
    """Run one check and print what became of it."""
    started = time.monotonic()
    if is_fixing and check.fix:
        subprocess.run(check.fix, cwd=ROOT, check=False)
    done = subprocess.run(
        check.command,
        cwd=ROOT,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    is_good = done.returncode == 0
    seconds = time.monotonic() - started
    print(f"{'ok' if is_good else 'FAILED':6}  {check.name:8} {seconds:6.1f} s", flush=True)
    if not is_good:
        print(done.stdout, flush=True)
    elif check.name == "tests":
        print(done.stdout.strip().splitlines()[-1], flush=True)
    return is_good


def main() -> int:
    """Run all checks, also after one has failed; returns the exit code."""
    parser = argparse.ArgumentParser(description="Check everything, like CI does.")
    parser.add_argument("--fix", action="store_true", help="rewrite what can be rewritten")
    is_fixing = parser.parse_args().fix
    results = [passes(check, is_fixing=is_fixing) for check in CHECKS]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
