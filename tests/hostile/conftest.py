"""Servers for the tests of this folder, one of each profile."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from tests.hostile.server import Server, make_shop, serving


@pytest.fixture(scope="session")
def shop_folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Give a data directory with a small shop, and a token."""
    folder = tmp_path_factory.mktemp("hostile")
    return folder, make_shop(folder)


Serve = Callable[..., AbstractContextManager[Server]]


@pytest.fixture(scope="session")
def serve(shop_folder: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Serve:
    """Give a function that serves a shop of its own in one of the profiles."""
    folder, token = shop_folder

    def start(profile: str, **environment: str) -> AbstractContextManager[Server]:
        own = shutil.copytree(folder, tmp_path_factory.mktemp(profile) / "shop")
        return serving(own, token, profile, **environment)

    return start


@pytest.fixture(scope="module")
def server(serve: Serve) -> Iterator[Server]:
    """Give a server in the production profile."""
    with serve("production") as served:
        yield served
