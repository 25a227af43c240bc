"""Texts are UTF-8 on every machine, whatever its locale."""

import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys

import pytest

from lucid_ext.models.load import ASSETS
from tests.conftest import ROOT

FOLDERS = ("lucid_ext", "training", "benchmarks", "notebooks", "docs")


@pytest.mark.parametrize("folder", FOLDERS)
def test_whoever_reads_or_writes_text_says_how_it_is_encoded(folder):
    """The lint finds it only where it knows what is a path."""
    silent = [
        f"{file.relative_to(ROOT)}:{call.lineno}"
        for file in sorted((ROOT / folder).rglob("*.py"))
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and getattr(call.func, "attr", None) in ("read_text", "write_text")
        and "encoding" not in {keyword.arg for keyword in call.keywords}
    ]
    assert not silent


def test_a_card_in_a_locale_without_its_letters(tmp_path):
    path = tmp_path / "net.pb"
    shutil.copy(ASSETS / "mini.pb", path)
    card = json.loads((ASSETS / "mini.json").read_text(encoding="utf-8"))
    assert card["digest"] == hashlib.sha256(path.read_bytes()).hexdigest()
    card["labels"][0] = "épée"
    path.with_suffix(".json").write_text(json.dumps(card, ensure_ascii=False), encoding="utf-8")
    code = f"import lucid_ext as lx; print(ascii(lx.load_model({str(path)!r}).labels[0]))"
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **plain}, capture_output=True)
    assert done.stdout.decode().strip() == ascii("épée"), done.stderr.decode(errors="replace")
