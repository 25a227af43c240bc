"""Tensors out of a file of PyTorch's first format, which is a pickle, without running what it says.

Such a file is five pickles in a row (a magic number, a version, facts about the machine, the tensors
with their shapes, the names of the storages) and then the numbers of every storage. The pickles may
name four things and no others; none of these is the real one, and what stands for them only takes notes.
"""

import collections
import dataclasses
import io
import pickle
from typing import Any

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001
STORAGES: dict[str, np.dtype] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


@dataclasses.dataclass(frozen=True)
class _Storage:
    """A run of numbers, by its name in the file."""

    key: str
    dtype: np.dtype
    count: int


@dataclasses.dataclass(frozen=True)
class _View:
    """A tensor: numbers of a storage from `offset`, in this shape with these strides."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _rebuild(storage: _Storage, offset: int, shape: tuple, strides: tuple, *_: Any) -> _View:
    return _View(storage, offset, tuple(shape), tuple(strides))


NAMES: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
    **{("torch", name): name for name in STORAGES},
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a name; refuse all but those that tensors need."""
        if (module, name) not in NAMES:
            raise ValueError(f"it names {module}.{name}, which no file of tensors needs")
        return NAMES[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        """Take note of a storage, whose numbers come later."""
        what, kind, key, _, count, *_ = pid
        if what != "storage" or kind not in STORAGES:
            raise ValueError(f"it refers to {what!r} of {kind!r}")
        return _Storage(key, STORAGES[kind], int(count))


def read_tensors(data: bytes, name: str) -> dict[str, np.ndarray]:
    """Return the tensors of a file by name.

    Args:
        data: the file's bytes.
        name: what to call it in an error.

    Raises:
        ValueError: one sentence: it is no such file, is cut short, or names anything but tensors.
    """
    file = io.BytesIO(data)
    try:
        magic, version, _, views, keys = (_Reader(file).load() for _ in range(5))
        if magic != MAGIC or version != VERSION or not isinstance(views, dict):
            raise ValueError("it does not begin as one")
        kinds = {view.storage.key: view.storage for view in views.values()}
        numbers = {key: _numbers(file, kinds[key]) for key in keys}
        return {tensor: _array(view, numbers[view.storage.key]) for tensor, view in views.items()}
    except Exception as error:  # a damaged pickle makes its reader raise anything
        raise ValueError(
            f"{name} ({len(data):,} bytes) is no file of tensors or is damaged ({error}); nothing of it was "
            "run: fetch it again."
        ) from error


def _numbers(file: io.BytesIO, storage: _Storage) -> np.ndarray:
    count = int.from_bytes(file.read(8), "little")
    data = file.read(storage.count * storage.dtype.itemsize)
    if count != storage.count or len(data) != storage.count * storage.dtype.itemsize:
        raise ValueError(f"storage {storage.key} is cut short")
    return np.frombuffer(data, storage.dtype)


def _array(view: _View, numbers: np.ndarray) -> np.ndarray:
    last = view.offset + sum((n - 1) * step for n, step in zip(view.shape, view.strides, strict=True))
    if view.offset < 0 or last >= len(numbers) or min((1, *view.shape)) < 1 or min((0, *view.strides)) < 0:
        raise ValueError(f"a tensor of shape {view.shape} reaches beyond its storage")
    strides = [step * numbers.itemsize for step in view.strides]
    return np.lib.stride_tricks.as_strided(numbers[view.offset :], view.shape, strides, writeable=False)
