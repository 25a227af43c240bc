"""Tiles of a grid: what they show, how that is measured, stopped, resumed, dead."""

import dataclasses

import numpy as np
import pytest

import lucid_ext as lx
from lucid_ext.optvis.grids import BATCH, dead_cells, grid_quality, roll, stream_tiles
from lucid_ext.optvis.recipes import DRAFT, TILE

LAYER = "mixed3a"
QUICK = dataclasses.replace(TILE, size=32, steps=3, group_steps=4)


@pytest.fixture(scope="module")
def acts(model, cat):
    """A corner of a grid: more cells than fit a batch."""
    return model.activations(cat, LAYER)[8:12, 10:15]


def tiles_of(stream, count):
    """All tiles in the order of their cells."""
    tiles = [None] * count
    for cells, pixels in stream:
        assert pixels.dtype == np.uint8
        for cell, tile in zip(cells, pixels, strict=True):
            assert tiles[cell] is None
            tiles[cell] = tile
    return tiles


def quick(model, acts, store, **options):
    options = {"recipe": QUICK, "store": store, **options}
    return stream_tiles(model, LAYER, acts, **options)


def test_every_cell_once(model, acts, store):
    tiles = np.stack(tiles_of(quick(model, acts, store), 20))
    assert tiles.shape == (20, 32, 32, 3)
    assert len({tile.tobytes() for tile in tiles}) == 20


def test_more_steps_raise_the_dot_product_and_the_cosine(model, acts, tmp_path):
    few = dataclasses.replace(QUICK, steps=0, group_steps=0)
    more = dataclasses.replace(QUICK, steps=8, group_steps=8)
    dots, means = [], []
    for recipe in (few, more):
        store = lx.IconStore(tmp_path / str(recipe.steps))
        tiles = np.stack(tiles_of(quick(model, acts, store, recipe=recipe), 20))
        seen = model.function("input", [LAYER])(tiles / np.float32(255))[0].numpy()
        cells = acts.reshape(20, 1, 1, -1)
        dots.append((seen * cells).sum(-1).max((1, 2)))
        means.append(grid_quality(model, LAYER, acts, tiles).mean)
    assert np.all(dots[1] > dots[0])
    assert means[1] > means[0] + 0.1


def test_a_tile_shows_its_own_cell(model, acts, store):
    """Most tiles are more like their own cell than like the grid's average of the others."""
    tiles = np.stack(tiles_of(quick(model, acts, store), 20))
    own = grid_quality(model, LAYER, acts, tiles).cosine
    shifted = np.roll(tiles.reshape(4, 5, *tiles.shape[1:]), (2, 2), (0, 1)).reshape(tiles.shape)
    other = grid_quality(model, LAYER, acts, shifted).cosine
    assert np.mean(own > other) > 0.7


def test_quality_against_a_slow_computation(model, acts, rng):
    tiles = rng.integers(0, 256, (20, 48, 48, 3), dtype=np.uint8)
    found = grid_quality(model, LAYER, acts, tiles)
    run = model.function("input", [LAYER])
    for i, tile in enumerate(tiles):
        y, x = divmod(i, 5)
        best, cosine = -np.inf, None
        for position in run(tile[None] / np.float32(255))[0].numpy()[0].reshape(-1, acts.shape[-1]):
            dot = sum(float(a) * float(b) for a, b in zip(position, acts[y, x], strict=True))
            if dot > best:
                best = dot
                cosine = dot / np.sqrt((position.astype(float) ** 2).sum() * (acts[y, x] ** 2).sum())
        assert found.cosine[y, x] == pytest.approx(cosine, abs=1e-4)
    assert found.mean == pytest.approx(found.cosine.mean())
    assert found.worst == pytest.approx(found.cosine.min())


def test_same_seed_same_tiles_other_seed_others(model, acts, tmp_path):
    first, again, other = (
        np.stack(tiles_of(quick(model, acts, lx.IconStore(tmp_path / str(i)), seed=seed), 20))
        for i, seed in enumerate((0, 0, 1))
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_second_time_comes_from_the_store(model, acts, store, monkeypatch):
    first = tiles_of(quick(model, acts, store), 20)
    monkeypatch.setattr("lucid_ext.optvis.grids._climb", None)
    [(cells, again)] = quick(model, acts, store)
    assert cells == list(range(20))
    assert np.array_equal(again, first)


def test_stopping_keeps_what_is_done_and_the_rest_follows(model, acts, store, tmp_path):
    whole = tiles_of(quick(model, acts, lx.IconStore(tmp_path / "whole")), 20)
    model.memo.pop("grids")  # the groups are rendered again too
    asked = []

    def go_on():
        asked.append(1)
        return len(asked) <= QUICK.group_steps + QUICK.steps + 1  # in the middle of the second batch

    found = list(quick(model, acts, store, go_on=go_on))
    assert [cells for cells, _ in found] == [list(range(BATCH))]
    assert len(list(store.folder.rglob("*.png"))) == BATCH
    resumed = list(quick(model, acts, store))
    assert [cells for cells, _ in resumed] == [list(range(BATCH)), list(range(BATCH, 20))]
    assert np.array_equal(np.concatenate([pixels for _, pixels in resumed]), whole)


def test_stopped_before_the_groups_are_done(model, acts, store):
    model.memo.pop("grids", None)
    assert list(quick(model, acts, store, go_on=lambda: False)) == []


def test_a_damaged_tile_is_rendered_again(model, acts, store):
    first = tiles_of(quick(model, acts, store), 20)
    path = next(store.folder.rglob("*.png"))
    path.write_bytes(path.read_bytes()[:100])
    again = list(quick(model, acts, store))
    assert [len(cells) for cells, _ in again] == [19, 1]
    assert np.array_equal(again[1][1][0], first[again[1][0][0]])


def test_dead_cells_get_no_tile(model, acts, store):
    acts = acts.copy()
    acts[1, 2] = acts[3, 4] = 0.0
    assert dead_cells(acts) == [7, 19]
    tiles = tiles_of(quick(model, acts, store), 20)
    assert [i for i, tile in enumerate(tiles) if tile is None] == [7, 19]
    filled = np.stack([np.zeros((32, 32, 3), np.uint8) if tile is None else tile for tile in tiles])
    found = grid_quality(model, LAYER, acts, filled)
    assert np.flatnonzero(np.isnan(found.cosine)).tolist() == [7, 19]
    assert np.isfinite(found.mean)


def test_a_dead_layer_has_no_tiles(model, store):
    dead = np.zeros((2, 2, 128), np.float32)
    assert list(quick(model, dead, store)) == []
    with pytest.raises(ValueError, match="all cells of these activations of mixed3a are zero"):
        grid_quality(model, LAYER, dead, np.zeros((4, 32, 32, 3), np.uint8))


def test_a_single_cell_and_negative_activations(model, acts, store):
    """Other networks' layers go below zero; their negative part is left to the cells' own steps."""
    one = -acts[:1, :1]
    [(cells, tiles)] = quick(model, one, store)
    assert cells == [0]
    assert tiles.std() > 5


def test_a_draft_takes_finished_tiles_and_is_not_kept(model, acts, store):
    few = acts[:1, :3]
    draft = tiles_of(stream_tiles(model, LAYER, few, store=store, draft=True), 3)
    assert draft[0].shape == (DRAFT.size, DRAFT.size, 3)
    assert not store.folder.exists()
    final = tiles_of(stream_tiles(model, LAYER, few, store=store), 3)
    assert not np.array_equal(draft, final)
    [(_, again)] = stream_tiles(model, LAYER, few, store=store, draft=True)
    assert np.array_equal(again, final)


def test_roll_moves_round_the_torus(rng):
    images = rng.random((3, 6, 8, 3), dtype=np.float32)
    draws = rng.random((3, 4), dtype=np.float32)
    rolled = roll(images, draws).numpy()
    for image, draw, found in zip(images, draws, rolled, strict=True):
        assert np.array_equal(found, np.roll(image, (-int(draw[0] * 6), -int(draw[1] * 8)), (0, 1)))


def test_bad_input(model, acts, store):
    with pytest.raises(ValueError, match=r"shape \(4, 5, 100\); expected finite \(h, w, 128\) for mixed3a"):
        next(quick(model, acts[..., :100], store))
    with pytest.raises(ValueError, match="expected finite"):
        next(quick(model, np.full_like(acts, np.nan), store))
    with pytest.raises(ValueError, match="no listed layer with positions"):
        next(stream_tiles(model, model.logits, acts, store=store))
    with pytest.raises(ValueError, match=r"expected uint8 \(20, s, s, 3\)"):
        grid_quality(model, LAYER, acts, np.zeros((3, 32, 32, 3), np.uint8))
