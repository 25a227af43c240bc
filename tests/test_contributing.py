"""The examples in CONTRIBUTING.md, as a reader would paste them."""

import re

import numpy as np
import pytest

import lucid_ext as lx
from tests.conftest import ROOT


@pytest.fixture
def written(methods, store, tmp_path, monkeypatch):
    """What the examples leave behind: their variables."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LUCID_EXT_CACHE", str(store.folder))
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    variables: dict = {"methods": methods}
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(code, variables)
    return variables


def test_the_examples(written, tmp_path):
    found, board = written["found"], written["board"]
    alone = lx.attribute(written["model"], "cat_coffee", "mixed5a", "espresso", "occlusion", reach=0)
    removed = lx.attribute(written["model"], "cat_coffee", "mixed5a", "espresso", "ablation")
    np.testing.assert_allclose(alone.values, removed.values, atol=1e-5)
    assert found.values.shape == (7, 7)
    # In the middle of a cell far from the borders five rows and columns are removed.
    problem, keep = found.problem, np.ones((1, 7, 7), np.float32)
    keep[0, 1:6, 1:6] = 0
    assert found.values[3, 3] == pytest.approx(float(problem.score - problem.measure(keep)[0]) / 25, abs=1e-5)
    spatial = lx.SpatialAttribution(written["model"], "cat_coffee", ["mixed5a", "mixed5b"], "occlusion")
    assert spatial.board.choice["method"] == "occlusion"
    with pytest.raises(ValueError, match="'occlusion' answers for cells, not for channels"):
        lx.attribute(written["model"], "cat_coffee", "mixed5a", "espresso", "occlusion", atoms="channels")
    best = int(written["acts"][2, 3].argmax())
    assert board.describe({"image": 17}).startswith(f"The cell at row 2, column 3 is mostly mixed5a:{best} (")
    assert "Channels of every cell" in (tmp_path / "board.html").read_text(encoding="utf-8")
    strongest = written["strongest"]
    assert strongest.board.describe({}) == ""
    (unit, value), *_ = strongest.board.rows("units", {})
    acts = written["model"].activations("cat_coffee", "mixed4d")
    assert unit == acts.max((0, 1)).argmax()
    assert value == acts.max()
    strongest.close()
