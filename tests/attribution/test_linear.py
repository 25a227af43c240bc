"""Gradient times activation, against one backward pass per target with a GradientTape."""

import numpy as np
import pytest
import tensorflow as tf

import lucid_ext as lx


def slow(model, picture, source, layer, score):
    """Gradients of score(layer of the network) times the source's activations, not summed."""
    acts = model.activations(picture, source)
    function = model.function(source, [layer], image=picture)
    with tf.GradientTape() as tape:
        x = tf.constant(acts[None])
        tape.watch(x)
        value = score(function(x)[0][0])
    return acts * tape.gradient(value, x).numpy()[0]


def norm(y, x):
    return lambda a: tf.sqrt(tf.reduce_sum(a[y, x] ** 2) + 1e-6)


def close(found, expected):
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("source", ["first_relu", "second"])
def test_cells_to_cells(chain, picture, source):
    found = lx.attribute(chain, picture, source, ("third", "cells")).values
    expected = np.zeros((*chain.shape_of(source, chain.size)[:2], 12, 12))
    for y in range(12):
        for x in range(12):
            expected[..., y, x] = slow(chain, picture, source, "third", norm(y, x)).sum(-1)
    close(found, expected)


def test_cells_to_cells_around_which_other_paths_lead(residual, picture):
    found = lx.attribute(residual, picture, "block2_1_relu", ("block2_out", "cells"))
    expected = np.zeros((12, 12, 12, 12))
    for y in range(12):
        for x in range(12):
            expected[..., y, x] = slow(residual, picture, "block2_1_relu", "block2_out", norm(y, x)).sum(-1)
    close(found.values, expected)
    assert found.problem.held == ("block2_0_conv",)
    assert "block2_0_conv is held at its values" in found.notes[0]


@pytest.mark.parametrize("layers", [("second", "third"), ("first_relu", "second"), ("first_relu", "third")])
@pytest.mark.parametrize("atoms", ["cells", "channels", "neurons"])
def test_targets_that_share_a_pass_get_what_they_get_alone(chain, picture, layers, atoms):
    source, layer = layers
    problem = lx.attribution.Problem(chain, picture, source, (layer, "cells"), atoms)
    assert len(problem.passes) < problem.targets.count / 3
    assert sorted(np.concatenate(problem.passes)) == list(range(144))
    shared = problem.linear()
    problem.passes = [np.array([i]) for i in range(144)]
    alone = problem.linear(problem.activations[None])
    np.testing.assert_allclose(shared, alone, rtol=1e-4, atol=1e-6 * np.abs(alone).max())


def test_a_small_budget_changes_nothing(chain, picture, monkeypatch):
    ask = chain, picture, "first_relu", ("third", "cells"), "path"
    before = lx.attribute(*ask, steps=3, tolerance=None).values
    problem = lx.attribution.Problem(*ask[:4])
    problem_rows = problem._rows_of_scores()
    monkeypatch.setattr("lucid_ext.attribution.problem.BUDGET", 1_000_000)
    assert problem._rows_of_scores() < min(problem_rows, 20)
    close(lx.attribute(*ask, steps=3, tolerance=None).values, before)


@pytest.fixture
def groups(chain, picture):
    return {
        name: lx.factorize(np.maximum(chain.activations(picture, name), 0), 3) for name in ("second", "third")
    }


def direction(length):
    return np.random.default_rng(3).standard_normal(length).astype(np.float32)


def overlap(groups, j):
    part = groups.spatial[..., j, None] * groups.channels[j]
    return lambda a: tf.reduce_sum(a * part) / np.linalg.norm(part)


TARGETS = {
    "class": (lambda g: 2, "logits", lambda g: lambda a: a[2]),
    "difference": (lambda g: (2, "class 0"), "logits", lambda g: lambda a: a[2] - a[0]),
    "logsumexp": (lambda g: "logsumexp", "logits", lambda g: tf.reduce_logsumexp),
    "cell": (lambda g: ("third", (3, 5)), "third", lambda g: norm(3, 5)),
    "channel": (lambda g: ("third", 7), "third", lambda g: lambda a: tf.reduce_sum(a[..., 7])),
    "direction": (
        lambda g: ("third", direction(12)),
        "third",
        lambda g: lambda a: tf.reduce_sum(a * direction(12)),
    ),
    "group": (lambda g: ("third", g["third"], 1), "third", lambda g: overlap(g["third"], 1)),
}


@pytest.mark.parametrize("name", TARGETS)
def test_single_targets_and_all_atoms(chain, picture, groups, name):
    make, layer, score = TARGETS[name]
    layer = chain.logits if layer == "logits" else layer
    each = slow(chain, picture, "second", layer, score(groups))
    own = groups["second"]
    acts = chain.activations(picture, "second")
    expected = {
        "cells": each.sum(-1),
        "channels": each.sum((0, 1)),
        "neurons": each,
        "layer": each.sum(),
    }
    for atoms, value in expected.items():
        close(lx.attribute(chain, picture, "second", make(groups), atoms=atoms).values, np.asarray(value))
    # Gradients where an activation is zero count for groups: these come from a tape too.
    function = chain.function("second", [layer])
    with tf.GradientTape() as tape:
        x = tf.constant(acts[None])
        tape.watch(x)
        value = score(groups)(function(x)[0][0])
    gradients = tape.gradient(value, x).numpy()[0]
    by_group = np.einsum("yxc,yxk,kc->k", gradients, own.spatial, own.channels)
    close(lx.attribute(chain, picture, "second", make(groups), atoms=own).values, by_group)


@pytest.mark.parametrize("kind", ["channels", "groups", "classes", "some classes"])
def test_many_targets_are_the_single_ones_side_by_side(chain, picture, groups, kind):
    g = groups["third"]
    many, singles = {
        "channels": (("third", "channels"), [("third", i) for i in range(12)]),
        "groups": (("third", g), [("third", g, j) for j in range(3)]),
        "classes": ((chain.logits, "channels"), list(range(5))),
        "some classes": ([3, "class 1"], [3, 1]),
    }[kind]
    found = lx.attribute(chain, picture, "second", many)
    each = [lx.attribute(chain, picture, "second", one) for one in singles]
    close(found.values, np.stack([a.values for a in each], -1))
    np.testing.assert_allclose(found.score, [a.score for a in each], rtol=1e-5)
    np.testing.assert_allclose(found.gap, [a.gap for a in each], rtol=1e-2, atol=1e-4)


def test_from_the_image_itself(chain, picture):
    found = lx.attribute(chain, picture, "input", 1)
    function = chain.function("input", [chain.logits])
    with tf.GradientTape() as tape:
        x = tf.constant(chain.prepare(picture)[None])
        tape.watch(x)
        value = function(x)[0][0, 1]
    close(found.values, (tape.gradient(value, x) * x).numpy()[0].sum(-1))


def test_all_pairs_of_layers(chain, picture):
    found = lx.attribution.between(chain, picture, ["first_relu", "second", "third"])
    assert list(found) == [("first_relu", "second"), ("first_relu", "third"), ("second", "third")]
    one = lx.attribute(chain, picture, "first_relu", ("third", "cells"))
    close(found["first_relu", "third"].values, one.values)


def test_layers_that_share_passes_get_what_they_get_alone(chain, residual, picture):
    """Of one target, at the activations; elsewhere each goes its own way."""
    for method in ("gradient", "smooth_maxpool"):
        found = lx.attribution.from_layers(chain, picture, ["first_relu", "second"], [1, 3], method)
        for source, one in found.items():
            alone = lx.attribute(chain, picture, source, [1, 3], method)
            close(one.values, alone.values)
            np.testing.assert_allclose(one.gap, alone.gap, atol=1e-4)
    cells = lx.attribution.between(chain, picture, ["first_relu", "second", "third"])
    lead = cells["first_relu", "third"].problem
    assert len(lead.passes) > len(cells["second", "third"].problem.passes)
    close(cells["second", "third"].values, lx.attribute(chain, picture, "second", ("third", "cells")).values)
    # Where paths lead around the later layer.
    layers = ["block1_out", "block2_1_relu"]
    found = lx.attribution.from_layers(residual, picture, layers, ("block2_out", "cells"))
    for source in layers:
        close(found[source].values, lx.attribute(residual, picture, source, ("block2_out", "cells")).values)


def test_in_the_embedded_network(model, cat):
    found = lx.attribute(model, cat, "mixed4d", ("mixed5a", "cells"))
    assert found.values.shape == (14, 14, 7, 7)
    for y, x in [(0, 0), (3, 4), (6, 2)]:
        close(found.values[..., y, x], slow(model, cat, "mixed4d", "mixed5a", norm(y, x)).sum(-1))
