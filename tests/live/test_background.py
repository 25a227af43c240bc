"""Work behind an interface ends with the process, and not in the middle of a step."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys, time
from pathlib import Path
from lucid_ext.live.background import Background

def work(go_on):
    Path(sys.argv[1], "begun").touch()
    while go_on():
        time.sleep(0.01)
    time.sleep(0.3)  # the rest of a step
    Path(sys.argv[1], "ended").touch()

background = Background(work, lambda failure: None)
background.ask()
while not Path(sys.argv[1], "begun").exists():
    time.sleep(0.01)
"""

INTERRUPTED = """
import os, signal, threading
try:
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    background.wait()
except KeyboardInterrupt:
    Path(sys.argv[1], "interrupted").touch()
"""


@pytest.mark.parametrize("ending", ["", INTERRUPTED], ids=["by itself", "after Ctrl-C"])
def test_a_process_that_ends_lets_the_last_step_finish(tmp_path, ending):
    # Where a run was started in the background, Ctrl-C is ignored.
    listening = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    script = listening + SCRIPT + ending
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False, timeout=120)
    assert done.returncode == 0
    assert (tmp_path / "interrupted").exists() == bool(ending)
    assert (tmp_path / "ended").exists()
