"""Files of tensors in PyTorch's first format, written opcode by opcode, without PyTorch."""

import struct

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
KINDS = {"<f4": "torch FloatStorage", "<i8": "torch LongStorage"}


def pickled(*opcodes):
    return b"\x80\x02" + b"".join(opcodes) + b"."


def number(value):
    return b"J" + struct.pack("<i", value)


def text(value):
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def many(*items):
    return b"(" + b"".join(items) + b"t"


def name(value):
    return b"c" + value.replace(" ", "\n", 1).encode() + b"\n"


def storage(key, kind, count):
    return many(text("storage"), name(kind), text(key), text("cpu"), number(count), b"N") + b"Q"


def tensor(key, kind, count, offset, shape, strides):
    sizes = (many(*map(number, values)) for values in (shape, strides))
    hooks = name("collections OrderedDict") + b")R"
    view = many(storage(key, kind, count), number(offset), *sizes, b"\x89", hooks)
    return name("torch._utils _rebuild_tensor_v2") + view + b"R"


def long_number(value):
    data = value.to_bytes(10, "little")
    return b"\x8a" + bytes([len(data)]) + data


FACTS = pickled(b"}", many(text("little_endian"), b"\x88")[:-1], b"u")


def written(storages, views, *, magic=MAGIC, version=1001, opcodes=b"", claimed=None):
    """A file of tensors.

    Args:
        storages: {key: array of one axis}.
        views: {tensor: (key, offset, shape, strides)}.
        magic, version: what it begins with.
        opcodes: more of them in the pickle of the tensors, before its end.
        claimed: how many numbers each storage is said to have; by default what it has.
    """
    items = b"".join(
        text(what)
        + tensor(
            key,
            KINDS[storages[key].dtype.str],
            len(storages[key]) if claimed is None else claimed,
            offset,
            shape,
            strides,
        )
        for what, (key, offset, shape, strides) in views.items()
    )
    parts = [
        pickled(long_number(magic)),
        pickled(number(version)),
        FACTS,
        pickled(name("collections OrderedDict"), b")R", b"(", items, b"u", opcodes),
        pickled(b"]", b"(", *map(text, storages), b"e"),
    ]
    numbers = (struct.pack("<Q", len(a)) + a.tobytes() for a in storages.values())
    return b"".join([*parts, *numbers])


def example():
    """A file of three tensors, two of them of one storage."""
    storages = {"11": np.arange(30, dtype="<f4") / 4, "12": np.array([2**40, -7], "<i8")}
    views = {
        "weight": ("11", 0, (2, 3), (3, 1)),
        "turned": ("11", 6, (4, 3), (1, 4)),
        "count": ("12", 1, (), ()),
    }
    return written(storages, views)
