import os
import subprocess
import sys
import textwrap

import pytest


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_import_waits_with_tensorflow_and_lucid():
    code = "import sys, lucid_ext; print([m for m in ('tensorflow', 'lucid', 'sklearn') if m in sys.modules])"
    assert run(code) == "[]"


def test_board_and_widgets_know_nothing_of_tensorflow():
    code = "import sys, lucid_ext.board, lucid_ext.widgets; print('tensorflow' in sys.modules)"
    assert run(code) == "False"


def test_a_board_is_made_and_saved_without_what_shows_it(tmp_path):
    code = f"""
        import sys, numpy as np, lucid_ext as lx
        grid = lx.board.Grid("image", "Picture", np.zeros((4, 4, 3), np.uint8), 2, 2)
        made = lx.Board("Title", "Reading", [grid])
        made.save({str(tmp_path / "board.npz")!r})
        print([m for m in ("tensorflow", "anywidget", "lucid_ext.widgets") if m in sys.modules])
        made.to_html({str(tmp_path / "page.html")!r})
        print("tensorflow" in sys.modules)
    """
    assert run(textwrap.dedent(code)).splitlines() == ["[]", "False"]


def test_the_parts_of_boards_are_public():
    import lucid_ext as lx

    assert lx.board.Board is lx.Board
    parts = ("Grid", "Units", "Cards", "Flow", "Heat", "Ranking", "Mixture", "Dials", "Trail", "Mark", "Fact")
    for name in parts:
        assert name in lx.board.__all__
        assert issubclass(getattr(lx.board, name), object)
    assert issubclass(lx.SemanticDictionary, lx.Interface)


def test_every_public_name_exists():
    import lucid_ext as lx

    for name in lx.__all__:
        assert getattr(lx, name) is not None
    assert set(lx.__all__) <= set(dir(lx))


def test_unknown_name():
    import lucid_ext as lx

    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = lx.nonsense


def test_tensorflow_is_imported_quietly_and_leaves_no_setting_to_other_processes():
    code = "import os, lucid_ext as lx; lx.load_model; print(lx.LOG_LEVEL in os.environ)"
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "False\n", "")
