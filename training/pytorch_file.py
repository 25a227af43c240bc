"""Tensors out of a file of PyTorch's first format, which is a pickle, without running what it says.

Such a file is five pickles in a row (a magic number, a version, facts about the machine, the tensors
with their shapes, the names of the storages) and then the numbers of every storage. Python's own
reader of pickles is not used: even where it may name nothing, a few bytes make it take all memory, never
end or crash. Here is one for the few opcodes that tensors need. The pickles may name four things;
none of these is the real one, and what stands for them only takes notes.
"""

import dataclasses
import io
import math
import pickletools
from typing import Any

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001
STORAGES: dict[str, np.dtype] = {"torch FloatStorage": np.dtype("<f4"), "torch LongStorage": np.dtype("<i8")}
REBUILD = "torch._utils _rebuild_tensor_v2"
ORDERED = "collections OrderedDict"
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
MOST_AXES = 8
LONGEST = 160  # characters of what is said to be wrong


@dataclasses.dataclass(frozen=True)
class _Name:
    """One of the four names."""

    text: str


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
        for expected in (MAGIC, VERSION):
            found = _load(file)
            if type(found) is not int or found != expected:
                raise ValueError("it does not begin as one")
        _, views, keys = (_load(file) for _ in range(3))
        if not (_are(views, dict, _View) and _are(keys, list, str)):
            raise ValueError("it lists no tensors")
        storages = {view.storage for view in views.values()}
        kinds = {storage.key: storage for storage in storages}
        if len(kinds) < len(storages) or sorted(kinds) != sorted(keys):
            raise ValueError("its storages are not those of its tensors")
        numbers = {key: _numbers(file, kinds[key]) for key in keys}
        return {tensor: _array(view, numbers[view.storage.key]) for tensor, view in views.items()}
    except Exception as error:  # what is damaged may raise anything
        reason = ascii(str(error) or type(error).__name__)[1:-1][:LONGEST]
        raise ValueError(
            f"{name} ({len(data):,} bytes) is no file of tensors or is damaged ({reason}); nothing of it was "
            "run: fetch it again."
        ) from error


def _load(file: io.BytesIO) -> Any:
    """Read one pickle. Nothing of it is called, hashed or compared but strings and whole numbers."""
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[Any, Any] = {}

    def pop(count: int) -> list[Any]:
        if count > len(stack) - (marks[-1] if marks else 0):
            raise ValueError("it takes what is not there")
        taken = stack[len(stack) - count :]
        del stack[len(stack) - count :]
        return taken

    def since_mark() -> list[Any]:
        taken = pop(len(stack) - marks[-1])
        marks.pop()
        return taken

    for opcode, argument, _ in pickletools.genops(file):
        match opcode.name:
            case "PROTO":
                pass
            case "STOP":
                return pop(1)[0]
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                stack.append(CONSTANTS[opcode.name])
            case "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINUNICODE":
                stack.append(argument)
            case "MARK":
                marks.append(len(stack))
            case "EMPTY_TUPLE":
                stack.append(())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack.append(tuple(pop(int(opcode.name[-1]))))
            case "TUPLE":
                stack.append(tuple(since_mark()))
            case "EMPTY_LIST":
                stack.append([])
            case "APPENDS":
                items = since_mark()
                _last(stack, list).extend(items)
            case "EMPTY_DICT":
                stack.append({})
            case "SETITEM" | "SETITEMS":
                items = pop(2) if opcode.name == "SETITEM" else since_mark()
                if len(items) % 2 or not all(isinstance(key, str) for key in items[::2]):
                    raise ValueError("a key is no text")
                _last(stack, dict).update(zip(items[::2], items[1::2], strict=True))
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "GLOBAL":
                if argument not in (ORDERED, REBUILD, *STORAGES):
                    raise ValueError(f"it names {argument}, which no file of tensors needs")
                stack.append(_Name(argument))
            case "BINPERSID":
                stack.append(_storage(*pop(1)))
            case "REDUCE":
                stack.append(_made(*pop(2)))
            case "BUILD":  # the versions of modules, which nothing here needs
                pop(1)
                _last(stack, dict)
            case _:
                raise ValueError(f"it holds {opcode.name}, which no file of tensors needs")
    raise ValueError("it is cut short")


def _last(stack: list[Any], kind: type) -> Any:
    if not stack or type(stack[-1]) is not kind:
        raise ValueError(f"it fills what is no {kind.__name__}")
    return stack[-1]


def _are(value: Any, kind: type, item: type) -> bool:
    """Whether a list or a dict is one and holds nothing but `item`."""
    items = value.values() if type(value) is dict else value
    return type(value) is kind and all(isinstance(i, item) for i in items)


def _storage(pid: Any) -> _Storage:
    """Take note of a storage, whose numbers come later."""
    match pid:
        case ("storage", _Name(kind), str(key), str(), int(count), None) if kind in STORAGES and count >= 0:
            return _Storage(key, STORAGES[kind], count)
    raise ValueError("it refers to something else than numbers")


def _made(what: Any, arguments: Any) -> Any:
    """Return what stands for the result of calling one of the names."""
    match what, arguments:
        case _Name(text), () if text == ORDERED:
            return {}
        case _Name(text), (_Storage() as storage, int(offset), tuple(shape), tuple(strides), _, _) if (
            text == REBUILD
            and len(shape) == len(strides) <= MOST_AXES
            and all(type(n) is int for n in shape + strides)
        ):
            return _View(storage, offset, shape, strides)
    raise ValueError("it makes something else than tensors")


def _numbers(file: io.BytesIO, storage: _Storage) -> np.ndarray:
    count = int.from_bytes(file.read(8), "little")
    data = file.read(storage.count * storage.dtype.itemsize)
    if count != storage.count or len(data) != storage.count * storage.dtype.itemsize:
        raise ValueError(f"storage {storage.key} is cut short")
    return np.frombuffer(data, storage.dtype)


def _array(view: _View, numbers: np.ndarray) -> np.ndarray:
    if min((1, *view.shape)) < 1 or min((0, view.offset, *view.strides)) < 0:
        raise ValueError("a tensor has a size below one, or reaches back")
    last = view.offset + sum((n - 1) * step for n, step in zip(view.shape, view.strides, strict=True))
    if max(last + 1, math.prod(view.shape)) > len(numbers):
        raise ValueError("a tensor reaches beyond its storage")
    strides = [step * numbers.itemsize for step in view.strides]
    return np.lib.stride_tricks.as_strided(numbers[view.offset :], view.shape, strides, writeable=False)
