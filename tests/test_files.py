"""Files are there whole or not at all."""

import os
import stat
import subprocess
import sys
import time

import pytest

from lucid_ext.files import write_atomically


def test_writes_and_replaces(tmp_path):
    path = tmp_path / "a.bin"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_is_readable_by_whoever_the_umask_lets(tmp_path):
    mask = os.umask(0o022)
    try:
        write_atomically(tmp_path / "a.bin", b"x")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a.bin").stat().st_mode) == 0o644


def test_a_failed_write_keeps_what_was_there(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "kept").write_bytes(b"kept")
    with pytest.raises(OSError, match="folder"):
        write_atomically(tmp_path / "folder", b"new")  # a folder cannot be replaced by a file
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]
    assert (tmp_path / "folder" / "kept").read_bytes() == b"kept"


def test_what_a_killed_process_left_is_cleared_away_after_an_hour(tmp_path):
    # The process dies between writing beside the place and moving there.
    dies = (
        "import os, sys; from lucid_ext import files; "
        "files.os.replace = lambda *_: os.kill(os.getpid(), 9); "
        "files.write_atomically(sys.argv[1], b'new')"
    )
    killed = subprocess.run([sys.executable, "-c", dies, str(tmp_path / "a.bin")], check=False)
    assert killed.returncode == -9
    (left,) = tmp_path.iterdir()
    write_atomically(tmp_path / "b.bin", b"b")
    assert left.exists()  # somebody may still be writing it
    os.utime(left, (time.time() - 4000,) * 2)
    write_atomically(tmp_path / "b.bin", b"b")
    assert [p.name for p in tmp_path.iterdir()] == ["b.bin"]
