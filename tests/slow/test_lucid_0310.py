"""Lucid's last release, 0.3.10, keeps the promises tested of 0.3.8.

It asks for a NumPy of 2020, so pip installs it only without its dependencies.
"""

import os
import site
import subprocess
import sys
import venv

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

TESTS = ["tests/lucid_tf2", "tests/models/test_lucid_model.py", "tests/optvis/test_render.py"]


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """An environment with Lucid 0.3.10 that borrows everything else from the present one."""
    folder = tmp_path_factory.mktemp("lucid") / "environment"
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    find = [python, "-c", "import site; print(site.getsitepackages()[0])"]
    packages = subprocess.run(find, capture_output=True, text=True, check=True).stdout.strip()
    with open(f"{packages}/borrowed.pth", "w", encoding="utf-8") as file:
        file.write("\n".join([*site.getsitepackages(), ""]))
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
        "lucid==0.3.10",
    ]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return python


def test_same_promises(python):
    version = [python, "-c", "import lucid_ext, lucid; print(lucid.__version__)"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(version, capture_output=True, text=True, check=False, env=environment)
    assert done.stdout == "0.3.10\n", done.stderr
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:]
