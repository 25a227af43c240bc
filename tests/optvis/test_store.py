"""The icon store: atomic, self-healing, shared between processes, and no obstacle when it fails."""

import errno
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lucid_ext as lx
from lucid_ext.optvis.store import Icon, icon_key
from lucid_ext.storage import files
from tests import memory

KEY = icon_key({"layer": "mixed4d", "unit": 42})
SIZE = 32  # of the icons here, in pixels
NOBODY = 65534  # the number of a user who owns nothing


@pytest.fixture
def icon(rng):
    return Icon(rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8), 1.5)


def same(a: Icon | None, b: Icon) -> bool:
    return a is not None and np.array_equal(a.pixels, b.pixels) and a.drive == b.drive


def test_round_trip(store, icon):
    assert store.get(KEY, SIZE) is None
    store.put(KEY, icon, {"steps": 128})
    assert same(store.get(KEY, SIZE), icon)


def test_file_carries_how_it_was_made(store, icon):
    store.put(KEY, icon, {"layer": "mixed4d", "steps": 128})
    with Image.open(store.path(KEY)) as picture:
        assert '"steps": 128' in picture.text["lucid_ext"]


def test_keys_depend_on_everything_and_not_on_order():
    assert icon_key({"a": 1, "b": 2}) == icon_key({"b": 2, "a": 1})
    assert icon_key({"a": 1, "b": 2}) != icon_key({"a": 1, "b": 3})


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-200],
        lambda data: data[:300] + bytes([data[300] ^ 1]) + data[301:],
        lambda data: b"not a picture",
    ],
)
def test_damaged_files_count_as_missing_and_are_replaced(store, icon, damage):
    store.put(KEY, icon, {})
    path = store.path(KEY)
    path.write_bytes(damage(path.read_bytes()))
    assert store.get(KEY, SIZE) is None
    assert not path.exists()
    store.put(KEY, icon, {})
    assert same(store.get(KEY, SIZE), icon)


def test_every_flipped_byte_is_noticed_or_harmless(store, icon, rng):
    store.put(KEY, icon, {})
    path = store.path(KEY)
    whole = path.read_bytes()
    for at in rng.choice(len(whole), 200, replace=False):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << rng.integers(8))]) + whole[at + 1 :])
        found = store.get(KEY, SIZE)
        assert found is None or same(found, icon)


def test_a_picture_without_a_receipt_is_not_an_icon(store, icon):
    path = store.path(KEY)
    path.parent.mkdir(parents=True)
    Image.fromarray(icon.pixels).save(path)
    assert store.get(KEY, SIZE) is None


@memory.needs_linux
def test_an_icon_of_another_size_is_not_taken(store, icon):
    """The receipt may say what it likes: it is asked for one of SIZE."""
    store.put(KEY, Icon(np.zeros((13_000, 13_000, 3), np.uint8), 1.0), {})
    code = """
        import sys
        import lucid_ext as lx
        store, before = lx.IconStore(sys.argv[1]), peak()
        assert store.get(sys.argv[2], 32) is None
        print(peak() - before)
    """
    (grown,) = memory.run(code, store.folder.parent, KEY)
    assert int(grown) < 50_000_000
    store.put(KEY, icon, {})
    assert store.get(KEY, SIZE // 2) is None


@pytest.mark.parametrize("drive", [np.nan, np.inf])
def test_an_icon_whose_drive_is_no_number_is_not_taken(store, icon, drive):
    store.put(KEY, Icon(icon.pixels, drive), {})
    assert store.get(KEY, SIZE) is None


def test_want_of_memory_is_no_damage(store, icon):
    """The process may have no more: the icon is not there for now, and its file stays."""
    store.put(KEY, icon, {})
    path = store.path(KEY)
    script = (
        "import resource, sys; import lucid_ext as lx; store = lx.IconStore(sys.argv[1]);"
        "key, size = sys.argv[2], int(sys.argv[3]); assert store.get(key, size) is not None;"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize();"
        "hold = []\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used, used))\n"
        "try:\n"
        "    for step in (1 << 20, 1 << 12):\n"
        "        while True: hold.append(bytearray(step))\n"
        "except MemoryError: pass\n"
        "found = store.get(key, size)\n"
        "del hold\n"
        "print(found is None)"
    )
    large = Icon(np.random.default_rng(0).integers(0, 256, (1024, 1024, 3), np.uint8), 1.0)
    store.put(KEY, large, {})
    argv = [sys.executable, "-c", script, str(store.folder.parent), KEY, "1024"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "True"
    assert path.exists()


def test_what_is_no_file_is_no_icon(store, icon):
    """A pipe would be waited for without end; an empty folder would keep the icon out for ever."""
    path = store.path(KEY)
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    assert store.get(KEY, SIZE) is None
    path.unlink(missing_ok=True)
    path.mkdir()
    assert store.get(KEY, SIZE) is None
    store.put(KEY, icon, {})
    assert same(store.get(KEY, SIZE), icon)


def test_an_icon_under_another_name_is_not_taken(store, icon):
    other = icon_key({"layer": "mixed4d", "unit": 43})
    store.put(KEY, icon, {})
    store.path(other).parent.mkdir(parents=True, exist_ok=True)
    os.replace(store.path(KEY), store.path(other))
    assert store.get(other, SIZE) is None


def test_no_temporary_files_are_left(store, icon, monkeypatch):
    store.put(KEY, icon, {})

    def broken(*args, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.warns(UserWarning, match="cannot be saved"):
        store.put(icon_key({"b": 1}), icon, {})
    assert [p.name for p in store.folder.rglob("*") if p.is_file()] == [f"{KEY}.png"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")
def test_full_disk_is_said_once_and_work_goes_on(store, icon, monkeypatch):
    """Writes really fail: every file that is written is /dev/full."""

    def full(path, mode):
        os.symlink("/dev/full", path)
        return open(path, mode.replace("x", "w"), buffering=0)

    monkeypatch.setattr(files, "open", full, raising=False)
    with pytest.warns(UserWarning, match="No space left on device.*LUCID_EXT_CACHE"):
        store.put(KEY, icon, {})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store.put(KEY, icon, {})
    assert store.get(KEY, SIZE) is None


def test_unwritable_folder(tmp_path, icon):
    (tmp_path / "icons").write_text("a file where the folder should be")
    store = lx.IconStore(tmp_path)
    with pytest.warns(UserWarning, match="cannot be saved"):
        store.put(KEY, icon, {})
    assert store.get(KEY, SIZE) is None


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs users as Unix has them")
def test_read_only_folder(icon):
    """Icons in it are read, new ones are not saved, damaged ones count as missing."""
    whole, damaged = icon_key({"a": 1}), icon_key({"a": 2})
    with tempfile.TemporaryDirectory() as folder:
        store = lx.IconStore(folder)
        for key in (whole, damaged):
            store.put(key, icon, {})
        store.path(damaged).write_bytes(b"")
        folders = [Path(folder), *(path for path in Path(folder).rglob("*") if path.is_dir())]
        for path in folders:
            path.chmod(0o555)
        me = os.geteuid()
        os.seteuid(me or NOBODY)  # root may write anywhere
        try:
            assert same(store.get(whole, SIZE), icon)
            assert store.get(damaged, SIZE) is None
            with pytest.warns(UserWarning, match="Permission denied.*LUCID_EXT_CACHE"):
                store.put(KEY, icon, {})
            assert store.get(KEY, SIZE) is None
        finally:
            os.seteuid(me)
            for path in folders:
                path.chmod(0o755)


def test_a_limit_on_the_size_of_files(store, icon):
    """The system cuts a file off in the middle: nothing of it stays, and what was there is not touched."""
    before, after = icon_key({"a": 1}), icon_key({"a": 2})
    store.put(before, icon, {})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.warns(UserWarning, match="File too large.*LUCID_EXT_CACHE"):
            store.put(KEY, icon, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert store.get(KEY, SIZE) is None
    assert same(store.get(before, SIZE), icon)
    store.put(after, icon, {})
    assert {p.stem for p in store.folder.rglob("*") if p.is_file()} == {before, after}


def test_a_file_cut_off_anywhere_counts_as_missing(store, icon, rng):
    store.put(KEY, icon, {})
    path = store.path(KEY)
    whole = path.read_bytes()
    for end in rng.choice(len(whole) - 12, 100, replace=False):  # its last chunk says only that it ends
        path.write_bytes(whole[:end])
        assert store.get(KEY, SIZE) is None


def _write_until_ended(folder, value):
    store = lx.IconStore(folder)
    icon = Icon(np.full((SIZE, SIZE, 3), value, np.uint8), float(value))
    while True:
        store.put(KEY, icon, {})


def test_two_writers_and_a_reader(tmp_path):
    """A reader sees one writer's icon or the other's, never a mixture and never half a file.

    Nor does it when both are killed in the middle of writing.
    """
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_until_ended, args=(tmp_path, v)) for v in (10, 200)]
    for writer in writers:
        writer.start()
    store, seen, reads = lx.IconStore(tmp_path), set(), 0
    try:
        while len(seen) < 2 or reads < 2000:
            assert all(w.is_alive() for w in writers)
            icon = store.get(KEY, SIZE)
            if icon is not None:
                assert np.all(icon.pixels == int(icon.drive))
                seen.add(icon.drive)
                reads += 1
    finally:
        for writer in writers:
            writer.kill()
            writer.join()
    assert seen == {10.0, 200.0}
    left = store.get(KEY, SIZE)
    assert left is not None
    assert np.all(left.pixels == int(left.drive))
    store.put(KEY, Icon(left.pixels + np.uint8(1), 1.0), {})
    assert store.get(KEY, SIZE).drive == 1.0


def test_default_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("LUCID_EXT_CACHE", str(tmp_path / "here"))
    assert lx.IconStore().folder == tmp_path / "here" / "icons"
