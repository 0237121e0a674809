from pathlib import Path
from types import ModuleType

import pytest

from crmkit import discovery


@pytest.fixture
def recall() -> ModuleType:
    """Give the plugin's module; in a package this is one import."""
    found: ModuleType = discovery.load_file(Path(__file__).parent / "recall.py").implementation
    return found
