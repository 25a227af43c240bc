"""How much memory code takes, in a process of its own."""

import subprocess
import sys
import textwrap

import pytest

# Of this program alone: a process's `ru_maxrss` begins with that of the one that started it.
PEAK = """
def peak():
    status = open("/proc/self/status").read()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])
"""

needs_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts memory as Linux does")


def run(code: str, *argv: object) -> list[str]:
    """Run Python code that may call `peak()`, the most bytes it has taken; returns the lines it prints."""
    command = [sys.executable, "-c", PEAK + textwrap.dedent(code), *map(str, argv)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
