"""Layers in plain NumPy, from their formulas, one output at a time: slow, and independent."""

import numpy as np


def slow_conv(x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: int) -> np.ndarray:
    """A convolution with TensorFlow's SAME padding, one output at a time."""
    size, _, _, depth = w.shape
    height, width, _ = x.shape
    out_h, out_w = -(-height // stride), -(-width // stride)
    pad_h = max((out_h - 1) * stride + size - height, 0)
    pad_w = max((out_w - 1) * stride + size - width, 0)
    x = np.pad(x, ((pad_h // 2, pad_h - pad_h // 2), (pad_w // 2, pad_w - pad_w // 2), (0, 0)))
    out = np.zeros((out_h, out_w, depth))
    for i in range(out_h):
        for j in range(out_w):
            patch = x[i * stride : i * stride + size, j * stride : j * stride + size]
            out[i, j] = np.tensordot(patch, w, axes=3) + b
    return out


def slow_pool(x: np.ndarray, stride: int) -> np.ndarray:
    """3 x 3 max-pooling with SAME padding, one output at a time."""
    height, width, _ = x.shape
    out_h, out_w = -(-height // stride), -(-width // stride)
    pad_h = max((out_h - 1) * stride + 3 - height, 0)
    pad_w = max((out_w - 1) * stride + 3 - width, 0)
    x = np.pad(
        x,
        ((pad_h // 2, pad_h - pad_h // 2), (pad_w // 2, pad_w - pad_w // 2), (0, 0)),
        constant_values=-np.inf,
    )
    return np.array(
        [
            [x[i * stride : i * stride + 3, j * stride : j * stride + 3].max((0, 1)) for j in range(out_w)]
            for i in range(out_h)
        ]
    )


def slow_lrn(x: np.ndarray, radius: int, bias: float, alpha: float, beta: float) -> np.ndarray:
    """b_c = a_c / (bias + alpha * sum of a_j^2 over |j - c| <= radius)^beta, j within the channels.

    Krizhevsky et al., ImageNet Classification with Deep Convolutional Neural Networks, 2012, section 3.3.
    """
    out = np.zeros(x.shape)
    for c in range(x.shape[-1]):
        near = x[..., max(0, c - radius) : c + radius + 1].astype(np.float64)
        out[..., c] = x[..., c] / (bias + alpha * (near**2).sum(-1)) ** beta
    return out


def slow_mixed(x: np.ndarray, weights: dict[str, np.ndarray], name: str) -> np.ndarray:
    """A mixed block: its four towers, concatenated."""

    def conv(x: np.ndarray, tower: str) -> np.ndarray:
        w, b = weights[f"{name}_{tower}_w"], weights[f"{name}_{tower}_b"]
        return np.maximum(slow_conv(x, w, b, 1), 0)

    towers = [
        conv(x, "1x1"),
        conv(conv(x, "3x3_bottleneck"), "3x3"),
        conv(conv(x, "5x5_bottleneck"), "5x5"),
        conv(slow_pool(x, 1), "pool_reduce"),
    ]
    return np.concatenate(towers, axis=-1)
