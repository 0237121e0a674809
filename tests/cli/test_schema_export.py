from collections.abc import Callable
from pathlib import Path
from typing import Any

from graphql import build_schema

Run = Callable[..., Any]


def test_the_schema_is_printed_as_text_that_parses(crmkit: Run) -> None:
    sdl = crmkit("schema", "export").out

    assert "customer" in build_schema(sdl).query_type.fields  # type: ignore[union-attr]
    assert crmkit("schema", "export", "--json").object == {"sdl": sdl}


def test_a_written_schema_is_up_to_date(crmkit: Run, tmp_path: Path) -> None:
    file = tmp_path / "schema.graphql"

    written = crmkit("schema", "export", "--output", file, "--json")

    checked = crmkit("schema", "export", "--check", file)
    assert written.object == {"output": str(file), "lines": file.read_text().count("\n")}
    assert (checked.exit_code, checked.out) == (0, f"{file} is up to date.\n")


def test_a_schema_that_changed_is_shown_as_a_diff(
    crmkit: Run, tmp_path: Path, greeter: Path
) -> None:
    crmkit("schema", "export", "--output", tmp_path / "schema.graphql")
    greeter.unlink()

    checked = crmkit("schema", "export", "--check", tmp_path / "schema.graphql", "--json")

    assert checked.exit_code == 1
    assert "-  greeting: String" in "\n".join(checked.object["changes"])


def test_comparing_with_nothing_is_wrong_use(crmkit: Run, tmp_path: Path) -> None:
    refused = crmkit("schema", "export", "--check", tmp_path / "none.graphql")

    assert refused.exit_code == 2
