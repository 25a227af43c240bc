"""Lucid's own `Model`: made from a `VisionModel`, and made into one."""

from typing import Any

import numpy as np
import tensorflow as tf

from lucid_ext.models.graph import GraphDef, add_pre_relu, node_of, read
from lucid_ext.models.vision_model import VisionModel


def to_lucid(model: VisionModel) -> Any:
    """Hand a network to Lucid's own functions, such as `lucid.optvis.render.render_vis`.

    Returns:
        A `lucid.modelzoo.vision_base.Model` with its graph already loaded: every node of the
        network by its name, and of each concatenation of ReLUs `<name>_pre_relu` too.
    """
    from lucid.modelzoo.vision_base import Layer, Model

    graph_def = GraphDef.FromString(model.graph_def.SerializeToString())
    add_pre_relu(graph_def)
    described = {
        "__doc__": f"{model!r}, for Lucid.",
        "image_shape": [*model.size, 3],
        "image_value_range": model.value_range,
        "input_name": "input",
        # In Lucid 0.3.10 these two are properties that read files.
        "graph_def": None,
        "labels": None,
        "load_graphdef": lambda self: None,
    }
    lucid_model = type(model.name, (Model,), described)()
    lucid_model.graph_def = graph_def
    lucid_model.labels = list(model.labels)
    lucid_model.layers = [
        Layer(lucid_model, name, shape[-1], ["conv" if len(shape) == 3 else "dense"])
        for name, shape in model.layers.items()
    ]
    return lucid_model


def from_lucid(lucid_model: Any, *, size: tuple[int, int] | None = None) -> VisionModel:
    """Take a network from Lucid: of its model zoo, or any frozen graph it describes.

    Args:
        lucid_model: a `lucid.modelzoo.vision_base.Model`; its graph is loaded if it was not yet.
        size: (height, width) in pixels to list the layers for, where the model has no `image_shape`.

    Returns:
        The same network: same node names, labels and value range. Its input node is called `input`
        from now on and takes RGB, whatever the graph itself takes.

    Raises:
        ValueError: one sentence that says what is missing or wrong; nothing of the graph has run.
    """
    from lucid.modelzoo.vision_base import Model

    if not isinstance(lucid_model, Model):
        raise ValueError(f"{type(lucid_model).__name__} is no Model of lucid.modelzoo: use load_model.")
    name = lucid_model.name
    if lucid_model.graph_def is None:
        lucid_model.load_graphdef()
    height, width = size or tuple(lucid_model.image_shape or (None, None))[:2]
    if height is None or width is None:
        raise ValueError(f"Lucid's {name} has no image_shape: pass size=(height, width) in pixels.")
    graph_def = read(lucid_model.graph_def.SerializeToString(), f"Lucid's {name}")
    is_bgr = bool(getattr(lucid_model, "is_BGR", False))
    low, high = (np.asarray(bound, np.float32) for bound in lucid_model.image_value_range)
    if low.ndim and is_bgr:
        low, high = low[::-1], high[::-1]
    # Without a labels_path, Lucid 0.3.10 refuses to say that it has no labels.
    unlabelled = lucid_model.labels_path is None and isinstance(type(lucid_model).labels, property)
    return VisionModel(
        _with_input(graph_def, node_of(lucid_model.input_name), is_bgr, name),
        labels=[] if unlabelled else list(lucid_model.labels or ()),
        size=(int(height), int(width)),
        value_range=(low, high) if low.ndim else (float(low), float(high)),
        name=name,
    )


def _with_input(graph_def: GraphDef, given: str, is_bgr: bool, name: str) -> GraphDef:
    """The graph with its input node `given` replaced by one called `input`, of RGB images."""
    if given not in {node.name for node in graph_def.node}:
        raise ValueError(f"Lucid's {name} has no input node {given!r}: set its input_name.")
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, (None, None, None, 3), name="input")
        image = tf.reverse(x, [-1], name="input_bgr") if is_bgr else x
        renamed = graph.as_graph_def()
    for node in graph_def.node:
        if node.name != given:
            copy = renamed.node.add()
            copy.CopyFrom(node)
            for i, tensor in enumerate(copy.input):
                if node_of(tensor) == given:
                    copy.input[i] = image.op.name
    renamed.versions.CopyFrom(graph_def.versions)
    return renamed
