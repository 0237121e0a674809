"""Writes what is made from the code: reference pages, examples pulled into pages, the schemas.

`python tests/docs/generate.py` rewrites them; with `--check` it only says which are out of date,
and exits with 1 if any is.
"""

import re
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import errors_page
import hooks_page
import settings_page

from crmkit import Crm, Settings, discovery
from crmkit_schema.runtime import compose

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = {
    "errors.md": errors_page.page,
    "hooks.md": hooks_page.page,
    "settings.md": settings_page.page,
}
NOTICE = "<!-- Made from the code by tests/docs/generate.py; edits here are lost. -->\n"
PULLED = re.compile(
    r"(<!-- pulled: (?P<path>\S+) -->\n```\w*\n)(?P<text>.*?)(?=^```$)", re.M | re.S
)


def generated() -> Iterator[tuple[Path, str]]:
    """Yield each file that is made from code, with the text it should have."""
    for name, page in PAGES.items():
        yield DOCS / name, NOTICE + page()
    yield ROOT / "schema" / "core.graphql", _sdl()
    yield ROOT / "schema" / "all.graphql", _sdl(*_built_in())
    for file in (ROOT / "README.md", *sorted(DOCS.rglob("*.md"))):
        text = file.read_text(encoding="utf-8")
        if PULLED.search(text):
            yield file, PULLED.sub(partial(_pull, file.parent), text)


def _built_in() -> list[str]:
    installed = discovery.installed().items()
    return sorted(name for name, module in installed if module.startswith("crmkit_"))


def _sdl(*plugins: str) -> str:
    with TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), plugins=plugins)
        with Crm(settings) as crm:
            return compose(crm).sdl()


def _pull(folder: Path, found: re.Match[str]) -> str:
    return found[1] + (folder / found["path"]).read_text(encoding="utf-8")


def main() -> int:
    """Rewrite, or check, every generated file; returns the exit code."""
    only_check = "--check" in sys.argv[1:]
    stale = 0
    for file, text in generated():
        if file.exists() and file.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if only_check:
            print(f"{file.relative_to(ROOT)} is out of date; run tests/docs/generate.py")
        else:
            file.write_text(text, encoding="utf-8")
            print(f"wrote {file.relative_to(ROOT)}")
    return 1 if only_check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
