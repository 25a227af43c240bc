"""Spatial attribution: its links against `attribute` and against a slow loop, its truth, pairs."""

import dataclasses

import numpy as np
import pytest

import lucid_ext as lx
from lucid_ext.board import Heat, format_value
from lucid_ext.interfaces.parts import tint
from lucid_ext.optvis import recipes

LAYERS = ["mixed4d", "mixed5a"]


@pytest.fixture(scope="module")
def made(model):
    return lx.SpatialAttribution(model, "cat_coffee", LAYERS, methods=["gradient", "ablation"])


def test_light_is_attribution_seen_from_either_side(model, cat, made):
    values = lx.attribute(model, cat, "mixed4d", ("mixed5a", "cells")).values.reshape(196, 49)
    down, up = made.board.link("mixed4d", "mixed5a"), made.board.link("mixed5a", "mixed4d")
    np.testing.assert_allclose(down.weights, values, atol=1e-5)
    np.testing.assert_array_equal(up.weights, down.weights.T)
    assert (values < 0).any()  # signs are kept


def test_light_is_that_of_a_slow_loop(model, cat, made):
    import tensorflow as tf

    run = model.function("mixed4d", ["mixed5a"])
    acts = tf.constant(model.activations(cat, "mixed4d")[None])
    weights = made.board.link("mixed5a", "mixed4d").weights
    for cell in (0, 17, 30):
        with tf.GradientTape() as tape:
            tape.watch(acts)
            score = tf.sqrt(tf.reduce_sum(run(acts)[0][0, cell // 7, cell % 7] ** 2))
        slow = tf.reduce_sum(acts * tape.gradient(score, acts), -1)[0].numpy().ravel()
        np.testing.assert_allclose(weights[cell], slow, atol=1e-4 * max(1, np.abs(slow).max()))


def test_classes_are_sorted_by_what_the_cell_says_of_them(model, cat, made):
    odds = model.activations(cat, model.softmax)
    classes = np.argsort(-odds, kind="stable")[:50].tolist()
    for layer, cell in (("mixed4d", 80), ("mixed5a", 20)):
        values = lx.attribute(model, cat, layer, classes).values.reshape(-1, 50)[cell]
        found = made.board.rows("classes", {layer: cell}, 50)
        order = np.argsort(-np.abs(values), kind="stable")
        assert [unit for unit, _ in found] == [classes[i] for i in order]
        np.testing.assert_allclose([value for _, value in found], values[order], atol=1e-4)
        light = made.board.link("prediction", layer).weights
        np.testing.assert_allclose(light[classes, cell], values, atol=1e-4)
        assert set(made.board.link("prediction", layer).of) == set(classes)  # of others it is not known


def test_predicted_stands_beside_measured(model, cat, made):
    top = int(model.activations(cat, model.softmax).argmax())
    predicted = lx.attribute(model, cat, "mixed5a", top).values.ravel()
    trust = lx.attribute(model, cat, "mixed5a", top).trust()
    measured = trust.measured.ravel()
    for cell in (3, 24):
        (_, one), (_, two) = made.board.rows("effect", {"mixed5a": cell})
        assert one == pytest.approx(predicted[cell], abs=1e-4)
        assert two == pytest.approx(measured[cell], abs=1e-4)
    note = made.board["mixed5a"].note
    assert f"rank correlation {float(trust.spearman):.2f}" in note
    assert f"signs {float(trust.signs):.0%}" in note
    assert f"gap {float(trust.gap):.0%}" in note


def test_the_caption_is_written_from_the_numbers(model, made):
    said = made.board.describe({"mixed4d": 80})
    (best, value), *_ = made.board.rows("classes", {"mixed4d": 80})
    assert f"weighs most on {model.labels[best]} ({format_value(value, 'number')})" in said
    assert "gradient predicts" in said
    assert made.board.describe({"prediction": 3, "mixed4d": 80}).startswith(f"{model.labels[3]}: evidence")


def test_a_method_is_another_board_of_the_same_panels(made):
    before = made.board
    made.choose(method="ablation", scale="pair of layers")
    after = made.board
    made.choose(method="gradient", scale="each cell")
    assert [p.name for p in after.panels] == [p.name for p in before.panels]
    link = after.link("mixed4d", "mixed5a")
    assert link.scale == pytest.approx(float(np.abs(link.weights).max()))
    assert before.link("mixed4d", "mixed5a").scale is None
    (_, predicted), (_, measured) = after.rows("effect", {"mixed5a": 24})
    assert predicted == measured
    assert [choice["method"] for choice in made.page_choices()] == ["gradient", "ablation"]


def test_tint_is_the_factors_colours(rng):
    evidence = np.zeros((2, 2, 3), np.float32)
    evidence[0, 0, 0], evidence[1, 1, 1] = 2.0, 1.0
    tints, said = tint.factors({"fine": np.repeat(evidence, 2, 0), "last": evidence}, ["cat", "cup", "dog"])
    lime, magenta = tint.COLOURS.values()
    assert said == "Tint: lime leads to cat, magenta leads to cup."
    np.testing.assert_allclose(tints["last"][0, 0, :3], lime, atol=1)
    np.testing.assert_allclose(tints["last"][1, 1, :3], magenta, atol=1)
    np.testing.assert_allclose(tints["fine"][3, 1], tints["last"][1, 1], atol=1e-3)
    assert tints["last"][0, 1, 3] == 0
    tiles = tint.tinted(np.full((4, 8, 8, 3), 100, np.uint8), tints["last"].reshape(-1, 4))
    assert (tiles[1] == 100).all()
    np.testing.assert_allclose(tiles[0, 0, 0], 0.4 * 100 + 0.6 * np.array(lime), atol=1)


def test_a_pair_lights_both_and_the_signed_difference(model, cat):
    seen = model.prepare(cat)
    other = lx.adversarial(model, seen, 0, 4 / 255, "fgsm")
    one, two = (
        lx.SpatialAttribution(model, image, LAYERS, methods=["gradient"], target=0) for image in (seen, other)
    )
    board = one.pair(two, ("clean", "adversarial")).board
    values = [
        lx.attribute(model, image, "mixed4d", ("mixed5a", "cells")).values.reshape(196, 49)
        for image in (seen, other)
    ]
    for side in ("a_", "b_", "d_"):
        for target, expected in (("a_", values[0]), ("b_", values[1]), ("d_", values[0] - values[1])):
            link = board.link(f"{side}mixed4d", f"{target}mixed5a")
            assert isinstance(link, Heat)
            np.testing.assert_allclose(link.weights, expected, atol=1e-4)
    assert board.link("d_mixed4d", "d_mixed5a").law.endswith("difference")
    for cell in (3, 30):  # both lists of a cell have their difference
        effects = [dict(side.board.rows("effect", {"mixed5a": cell})) for side in (one, two)]
        found = dict(board.rows("d_effect", {"b_mixed5a": cell}))
        assert found == {
            unit: pytest.approx(effects[0][unit] - effects[1][unit], abs=1e-6) for unit in (0, 1)
        }
    assert board["d_effect"].title.startswith(f"Its effect on {model.labels[0]}")


def test_effects_of_a_fine_layer_are_measured_first_and_it_is_said(model, store):
    made = lx.SpatialAttribution(
        model, "cat_coffee", ["mixed3a", "mixed5a"], methods=["gradient"], store=store
    )
    assert "784 cells are still being measured" in made.board["mixed3a"].note
    said = []
    made.view.observe(lambda change: said.append(change["new"]), "status")
    next(made.stream(made.board, {}, lambda: False))  # the first tiles
    assert said == ["Measuring what each of 784 cells of mixed3a does, by removing it."]
    assert "against measured" in made.board["mixed3a"].note
    assert [unit for unit, _ in made.board.rows("effect", {"mixed3a": 5})] == [0, 1]
    made.stop()


def test_a_pair_too_has_what_is_measured_later(model, store):
    layers = ["mixed3a", "mixed5a"]
    one, two = (
        lx.SpatialAttribution(model, image, layers, target=0, tiles=False, methods=["gradient"], store=store)
        for image in ("cat", "coffee")
    )
    pair = one.pair(two, ("cat", "coffee"))
    assert "still being measured" in pair.board["b_mixed3a"].note
    boards = pair.session.page_boards()
    assert len(boards) == 1
    for made, side in ((one, "a_"), (two, "b_")):
        panel = next(p for p in boards[0].panels if p.name == f"{side}mixed3a")
        assert "against measured" in panel.note
        assert boards[0].rows(f"{side}effect", {f"{side}mixed3a": 9}) == made.board.rows(
            "effect", {"mixed3a": 9}
        )


def test_a_page_has_the_quick_methods_and_a_pair_the_present_one(model, cat):
    one, two = (lx.SpatialAttribution(model, image, ["mixed5a", "mixed5b"], target=0) for image in (cat, cat))
    assert [choice["method"] for choice in one.page_choices()] == ["gradient", "smooth_maxpool"]
    pair = one.pair(two)
    assert [choice["method"] for choice in pair.page_choices()] == ["gradient"]
    assert pair.board.choice["method"] == "gradient"
    pair.choose(method="path")
    assert pair.board.choice["method"] == "path"
    assert {choice["method"] for choice in pair.page_choices()} == {"gradient", "path"}  # both were looked at


def test_a_page_has_a_tile_for_every_cell_of_every_layer(model, store, tmp_path, monkeypatch):
    monkeypatch.setattr(recipes, "DRAFT", dataclasses.replace(recipes.DRAFT, steps=1))
    made = lx.SpatialAttribution(model, "cat_coffee", LAYERS, methods=["gradient", "ablation"], store=store)
    path = made.to_html(tmp_path / "page.html")
    assert path.stat().st_size < 8_000_000
    for choice in made.page_choices():
        for layer in LAYERS:
            grid = made.board_of(choice)[layer]
            assert np.array_equal(grid.tile_of >= 0, ~grid.dead)


def test_bad_input_is_refused(model):
    with pytest.raises(ValueError, match="no layer 'mixed4f'; did you mean"):
        lx.SpatialAttribution(model, "cat_coffee", ["mixed4f"])
    with pytest.raises(ValueError, match="there is no method 'guess'; expected one of gradient"):
        lx.SpatialAttribution(model, "cat_coffee", LAYERS, "guess")
    with pytest.raises(ValueError, match="has no class 'tabbby'"):
        lx.SpatialAttribution(model, "cat_coffee", LAYERS, target="tabbby")
