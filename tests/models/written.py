"""Small frozen graphs written node by node, as no library would write them."""

import hashlib
import json
from pathlib import Path

import numpy as np
import tensorflow as tf

SIDE = 16


class Graph:
    """A graph from `input`, colour images of any size, to a softmax over three classes.

    Attributes:
        graph_def: what is written so far.
    """

    def __init__(self) -> None:
        self.graph_def = tf.compat.v1.GraphDef(versions={"producer": 1882})
        self.add("Placeholder", "input", dtype=tf.float32)

    def add(self, op: str, name: str, *inputs: str, **attrs) -> str:
        """Add a node, and return its name; an attribute's kind is that of its value."""
        node = self.graph_def.node.add(op=op, name=name, input=inputs)
        for key, value in attrs.items():
            attr = node.attr[key]
            match value:
                case bool():
                    attr.b = value
                case int():
                    attr.i = value
                case float():
                    attr.f = value
                case str():
                    attr.s = value.encode()
                case tf.DType():
                    attr.type = value.as_datatype_enum
                case list():
                    attr.list.i.extend(value)
                case _:
                    attr.tensor.CopyFrom(value)
        return name

    def const(self, name: str, value, dtype=np.int32) -> str:
        """Add a constant."""
        array = np.asarray(value, dtype)
        return self.add(
            "Const",
            name,
            dtype=tf.as_dtype(array.dtype),
            value=tf.make_tensor_proto(array, shape=array.shape),
        )

    def end(self, x: str = "input") -> "Graph":
        """Average `x`, (n, h, w, 3), over its positions, and end in classes."""
        self.const("axes", [1, 2])
        self.add("Mean", "mean", x, "axes", T=tf.float32, Tidx=tf.int32)
        self.add("Relu", "logits", "mean", T=tf.float32)
        self.add("Softmax", "softmax", "logits", T=tf.float32)
        return self

    def save(self, path: Path, **card) -> Path:
        """Write the graph and its card, which says what is given besides what is right."""
        data = self.graph_def.SerializeToString(deterministic=True)
        path.write_bytes(data)
        right = {"digest": hashlib.sha256(data).hexdigest(), "size": [SIDE, SIDE], "range": [0, 1]}
        said = {**right, "labels": ["a", "b", "c"], "layers": ["logits"], **card}
        path.with_suffix(".json").write_text(json.dumps(said), encoding="utf-8")
        return path
