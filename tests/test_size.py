"""What is fetched, installed and opened stays small."""

import re
import subprocess

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "lucid_ext"
ICONS = PACKAGE / "assets" / "icons"
MB = 1_000_000


def total(paths):
    return sum(path.stat().st_size for path in paths if path.is_file())


def in_the_wheel():
    """Files of the package but what Python leaves there."""
    return [path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def test_the_repository():
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    tracked = [ROOT / name for name in done.stdout.split("\0") if name]
    if done.returncode or ROOT / "pyproject.toml" not in tracked:
        pytest.skip("needs a clone: no git, or no repository")
    assert 20 * MB < total(tracked) < 40 * MB


def test_the_wheel():
    assert 10 * MB < total(in_the_wheel()) < 30 * MB


def test_every_kind_of_file_goes_into_the_wheel():
    """What pyproject.toml names as data, and Python; anything else would be missing where it is installed."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (patterns,) = re.findall(r'^"\*" = \[(.*)\]$', project, re.MULTILINE)
    named = re.findall(r'"\*?([^"]+)"', patterns)
    missing = [path for path in in_the_wheel() if not path.name.endswith((".py", *named))]
    assert not missing


def test_whose_work_it_holds_goes_into_the_wheel():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (named,) = re.findall(r"^license-files = \[(.*)\]$", project, re.MULTILINE)
    for name in ("LICENSE", "NOTICE"):
        assert f'"{name}"' in named
        assert (ROOT / name).is_file()
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert "efficientnet_lite0.pb" in notice
    assert "Apache License" in notice


@pytest.mark.parametrize("network", sorted(path.name for path in ICONS.iterdir() if path.is_dir()))
def test_icons_and_what_photographs_do(network):
    assert 0 < total((ICONS / network).glob("*.webp")) <= 11 * MB
    assert total((ICONS / network).glob("*.npz")) <= 3 * MB
