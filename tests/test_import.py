import os
import subprocess
import sys

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
