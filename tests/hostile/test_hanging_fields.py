"""Eight fields that hang or spin, and a probe that does not notice."""

import shutil
from pathlib import Path

import pytest
from tests.hostile.server import serving

FIELDS = [f"slow{number}" for number in range(4)] + [f"spin{number}" for number in range(4)]
PLUGIN = f"""
import time

import strawberry

from crmkit import Plugin, SchemaContribution, hookimpl
from crmkit_schema import PUBLIC, computed

plugin = Plugin(name="sloth", version="1", summary="Takes its time.")


def hang(parents, context):
    time.sleep(3600)


def spin(parents, context):
    while True:
        pass


def fields():
    functions = {{name: hang if name.startswith("slow") else spin for name in {FIELDS}}}
    made = {{name: computed("Hangs.", functions[name], permission=PUBLIC) for name in functions}}
    return type("OfCustomer", (), {{"__annotations__": dict.fromkeys(made, str), **made}})


@hookimpl
def register_graphql():
    return SchemaContribution(extends={{"Customer": strawberry.type(fields())}})
"""


@pytest.fixture
def sloth(shop_folder: tuple[Path, str], tmp_path: Path) -> tuple[Path, str]:
    """Give a shop with the plugin, and a token."""
    folder, token = shop_folder
    own = Path(shutil.copytree(folder, tmp_path / "shop"))
    (own / "plugins").mkdir()
    (own / "plugins" / "sloth.py").write_text(PLUGIN)
    return own, token


def test_fields_that_hang_and_spin_leave_everything_else_alone(sloth: tuple[Path, str]) -> None:
    with serving(*sloth, "production", CRMKIT_PLUGIN_SECONDS_MAX="0.5") as server:
        with server.probed() as took:
            for name in FIELDS:
                query = f"{{ customers(first: 2) {{ totalCount nodes {{ id {name} }} }} }}"
                answer = server.post({"query": query}).json()

                codes = {each["extensions"]["code"] for each in answer["errors"]}
                assert codes == {"PLUGIN_TIMED_OUT"}
                assert answer["data"]["customers"]["totalCount"] == 40
                assert [each[name] for each in answer["data"]["customers"]["nodes"]] == [None] * 2

        refused = server.post({"query": "{ customers(first: 1) { nodes { slow0 } } }"})
        others = server.post({"query": "{ customers { totalCount nodes { displayName } } }"})

    assert refused.json()["errors"][0]["extensions"]["code"] == "PLUGIN_BUSY"
    assert others.json()["data"]["customers"]["totalCount"] == 40
    assert max(took) < 5
    print(f"the longest probe took {max(took):.3f} s")
