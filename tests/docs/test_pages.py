"""The pages are complete, lead somewhere, and name no machine."""

import re
from pathlib import Path

import pytest

from crmkit import discovery, hookspecs
from crmkit.importing import Mapping
from crmkit.plugin_loading import load_plugins
from crmkit.plugins import PluginRegistry
from crmkit.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [
    file
    for folder in (DOCS, ROOT / "core", ROOT / "plugins", ROOT / "schema")
    for file in sorted(folder.rglob("*.md"))
    if "static" not in file.parts
] + [ROOT / "README.md"]
HOOKS = [name for name, each in vars(hookspecs).items() if hasattr(each, "crmkit_spec")]
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def _named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _headings(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.findall(r"^#+ (.+)$", text, re.M)


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.fixture
def registry(tmp_path: Path) -> PluginRegistry:
    """Give every installed plugin and every example, plugged in together."""
    examples = DOCS / "examples"
    extra = [
        discovery.load_file(examples / f"{name}.py").implementation
        for name in ("age_limit", "followups", "greeting", "recall", "visits")
    ]
    settings = Settings.load(tmp_path, plugins=tuple(discovery.installed()))
    return load_plugins(settings, extra)


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in map(_anchor, _headings(target)), link


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_no_page_names_a_path_of_somebodys_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert not re.search(r"(?<![\w.])/(home|Users|tmp|work|root|var|opt)/", text)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_its_heading(hook: str) -> None:
    assert hook in _headings(DOCS / "hooks.md")


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_real_user(hook: str, registry: PluginRegistry) -> None:
    users = [each.name for each in registry.plugins if hook in registry.hooks_of(each.name)]

    assert users


@pytest.mark.parametrize("setting", list(Settings.model_fields))
def test_every_setting_has_its_heading(setting: str) -> None:
    assert setting in _headings(DOCS / "settings.md")


@pytest.mark.parametrize("plugin", list(discovery.installed()))
def test_every_plugin_stands_in_the_list_of_plugins(plugin: str) -> None:
    assert f"| [{plugin}](" in (ROOT / "plugins" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("key", list(Mapping.model_fields))
def test_every_key_of_a_mapping_is_explained(key: str) -> None:
    table = re.findall(r"^\| (.+?) \|", (DOCS / "importing.md").read_text(encoding="utf-8"), re.M)

    assert f"`{key}`" in ", ".join(table)


@pytest.mark.parametrize("page", sorted(each.name for each in DOCS.glob("[!i]*.md")))
def test_the_index_leads_to_every_page(page: str) -> None:
    assert page in _LINK.findall((DOCS / "index.md").read_text(encoding="utf-8"))


def test_the_list_of_decisions_is_complete() -> None:
    listed = _LINK.findall((DOCS / "adr" / "README.md").read_text(encoding="utf-8"))

    assert listed == [file.name for file in sorted((DOCS / "adr").glob("0*.md"))]


@pytest.mark.parametrize("decision", sorted((DOCS / "adr").glob("0*.md")), ids=_named)
def test_a_decision_says_its_status_first_and_fits_on_a_page(decision: Path) -> None:
    text = decision.read_text(encoding="utf-8")

    assert re.match(r"# \d{4} .+\n\nStatus: (accepted|replaced)", text)
    assert _headings(decision)[1] == "Context"
    assert _headings(decision)[-1] == "Consequences"
    assert len(text.splitlines()) <= 60


def test_ci_runs_the_second_command_of_the_readme_and_nothing_else() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^python3 -m venv \.venv && (.+)$", readme, re.M)[1].split(" && ")
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    def bare(line: str) -> str:
        words = re.sub(r"^\S*/bin/(\w+)\"? ", r"\1 ", line).split()
        return " ".join(
            word for word in words if word not in ("--quiet", "--disable-pip-version-check")
        )

    steps = [line for line in run.splitlines() if line.startswith('"$folder/venv/bin/')]
    assert list(map(bare, steps)) == list(map(bare, commands))
