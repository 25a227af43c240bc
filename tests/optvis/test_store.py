"""The icon store: atomic, self-healing, shared between processes, and no obstacle when it fails."""

import errno
import multiprocessing
import os
import warnings

import numpy as np
import pytest
from PIL import Image

import lucid_ext as lx
from lucid_ext.optvis.store import Icon, icon_key

KEY = icon_key({"layer": "mixed4d", "unit": 42})


@pytest.fixture
def icon(rng):
    return Icon(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8), 1.5)


def same(a: Icon | None, b: Icon) -> bool:
    return a is not None and np.array_equal(a.pixels, b.pixels) and a.drive == b.drive


def test_round_trip(store, icon):
    assert store.get(KEY) is None
    store.put(KEY, icon, {"steps": 128})
    assert same(store.get(KEY), icon)


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
    assert store.get(KEY) is None
    assert not path.exists()
    store.put(KEY, icon, {})
    assert same(store.get(KEY), icon)


def test_every_flipped_byte_is_noticed_or_harmless(store, icon, rng):
    store.put(KEY, icon, {})
    path = store.path(KEY)
    whole = path.read_bytes()
    for at in rng.choice(len(whole), 200, replace=False):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << rng.integers(8))]) + whole[at + 1 :])
        found = store.get(KEY)
        assert found is None or same(found, icon)


def test_a_picture_without_a_receipt_is_not_an_icon(store, icon):
    path = store.path(KEY)
    path.parent.mkdir(parents=True)
    Image.fromarray(icon.pixels).save(path)
    assert store.get(KEY) is None


def test_an_icon_under_another_name_is_not_taken(store, icon):
    other = icon_key({"layer": "mixed4d", "unit": 43})
    store.put(KEY, icon, {})
    store.path(other).parent.mkdir(parents=True, exist_ok=True)
    os.replace(store.path(KEY), store.path(other))
    assert store.get(other) is None


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
    """Writes really fail: every temporary file is /dev/full."""
    import tempfile

    real = tempfile.NamedTemporaryFile

    def full(*args, **options):
        file = real(*args, **options)
        os.unlink(file.name)
        os.symlink("/dev/full", file.name)
        return open(file.name, "wb", buffering=0)

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
    with pytest.warns(UserWarning, match="No space left on device.*LUCID_EXT_CACHE"):
        store.put(KEY, icon, {})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store.put(KEY, icon, {})
    assert store.get(KEY) is None


def test_unwritable_folder(tmp_path, icon):
    (tmp_path / "icons").write_text("a file where the folder should be")
    store = lx.IconStore(tmp_path)
    with pytest.warns(UserWarning, match="cannot be saved"):
        store.put(KEY, icon, {})
    assert store.get(KEY) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder(tmp_path, icon):
    store = lx.IconStore(tmp_path)
    tmp_path.chmod(0o500)
    with pytest.warns(UserWarning, match="Permission denied"):
        store.put(KEY, icon, {})


def _write_until_ended(folder, value):
    store = lx.IconStore(folder)
    icon = Icon(np.full((64, 64, 3), value, np.uint8), float(value))
    while True:
        store.put(KEY, icon, {})


def test_two_writers_and_a_reader(tmp_path):
    """A reader sees one writer's icon or the other's, never a mixture and never half a file."""
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_until_ended, args=(tmp_path, v)) for v in (10, 200)]
    for writer in writers:
        writer.start()
    store, seen, reads = lx.IconStore(tmp_path), set(), 0
    try:
        while len(seen) < 2 or reads < 2000:
            assert all(w.is_alive() for w in writers)
            icon = store.get(KEY)
            if icon is not None:
                assert np.all(icon.pixels == int(icon.drive))
                seen.add(icon.drive)
                reads += 1
    finally:
        for writer in writers:
            writer.terminate()
            writer.join()
    assert seen == {10.0, 200.0}


def test_default_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("LUCID_EXT_CACHE", str(tmp_path / "here"))
    assert lx.IconStore().folder == tmp_path / "here" / "icons"
