"""Files are there whole or not at all."""

import os
import stat
import subprocess
import sys
import threading
import time

import pytest

from lucid_ext.storage.files import cache_folder, write_atomically, write_file


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


def test_the_umask_is_not_touched(tmp_path):
    """It is the process's own: another thread's files would get it too."""
    mask = os.umask(0o077)
    try:
        done = threading.Event()

        def others():
            for i in range(2000):
                os.close(os.open(tmp_path / f"other{i}", os.O_CREAT | os.O_WRONLY, 0o666))
            done.set()

        threading.Thread(target=others).start()
        while not done.is_set():
            write_atomically(tmp_path / "a.bin", b"x")
        modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        assert modes == {0o600}
    finally:
        os.umask(mask)


@pytest.mark.parametrize("name", ["no such folder/page.html", "folder", "pipe", "a" * 5000, "a\0b"])
def test_what_cannot_be_written_is_said_in_a_sentence(tmp_path, name):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match=r"cannot be written \(.*\); give another path"):
        write_file(tmp_path / name, b"new")


def test_a_link_goes_on_leading_where_it_did(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_the_cache_may_be_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LUCID_EXT_CACHE", "~/kept")
    assert cache_folder() == tmp_path / "kept"


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
        "import os, sys; from lucid_ext.storage import files; "
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
