import importlib
import sys

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="session")
def script():
    """A module of `training`, which is a folder of scripts and no package, by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(ROOT / "training"), *sys.path])
        yield importlib.import_module
