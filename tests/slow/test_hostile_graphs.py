"""No graph within the limits brings the process down, whatever its operations are set to."""

import subprocess
import sys
from collections import Counter

import pytest

from lucid_ext.models.graph import ALLOWED_OPS
from tests.slow.hostile import MAKERS, built

pytestmark = pytest.mark.slow

COUNT = 1_000
SECONDS = 600  # for all of them; mostly half a minute


def test_every_operation_is_tried():
    tried = {node.op for name in MAKERS for node in built([name]).node}
    of_older_files = {"BatchMatMul", "FusedBatchNorm", "FusedBatchNormV2", "NoOp", "PlaceholderWithDefault"}
    assert tried >= ALLOWED_OPS - of_older_files


@pytest.mark.parametrize("first", range(0, 6 * COUNT, COUNT))
def test_hostile_graphs(first):
    command = [sys.executable, "-m", "tests.slow.hostile", str(first), str(COUNT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, (lines[-1], done.stderr[-2000:])
    results = Counter(line[2:].split(":")[0] for line in lines if line.startswith("= "))
    assert sum(results.values()) == COUNT
    assert results["ran"] > COUNT / 20
    assert results["refused"] > COUNT / 4
