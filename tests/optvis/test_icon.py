"""Icons of units and directions: alone or together, from the store, stopped, dead."""

import dataclasses
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from skimage.metrics import structural_similarity

import lucid_ext as lx
from lucid_ext.optvis.icon import BATCH, drive, stream_directions
from lucid_ext.optvis.recipes import SKETCH, recipe_of
from lucid_ext.optvis.shipped import FOLDER, manifest, shipped_responses, shipped_sheet

QUICK = dataclasses.replace(SKETCH, size=48, steps=6)
LAYER = "mixed4a"


def quick(model, store, **options):
    return lx.icons(model, LAYER, recipe=QUICK, store=store, progress=False, **options)


def test_shape_and_order(model, store):
    three = quick(model, store, units=[3, 9, 3])
    assert three.shape == (3, 48, 48, 3)
    assert three.dtype == np.uint8
    assert np.array_equal(three[0], three[2])
    assert not np.array_equal(three[0], three[1])


def test_an_icon_does_not_depend_on_its_neighbours(model, tmp_path):
    many = quick(model, lx.IconStore(tmp_path / "a"), units=range(10))
    alone = quick(model, lx.IconStore(tmp_path / "b"), units=[9])
    assert np.array_equal(many[9], alone[0])


def test_same_seed_same_icon_other_seed_another(model, tmp_path):
    first, again, other = (
        quick(model, lx.IconStore(tmp_path / str(i)), units=[5], seed=s) for i, s in enumerate((0, 0, 1))
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


IN_THREADS = """
import sys
import numpy as np
import lucid_ext as lx
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(int(sys.argv[1]))
tf.config.threading.set_inter_op_parallelism_threads(int(sys.argv[1]))
from lucid_ext.optvis import SKETCH
store = lx.IconStore(sys.argv[2])
icons = lx.icons(lx.load_model("mini"), "mixed4a", range(4), recipe=SKETCH, store=store, progress=False)
np.save(sys.argv[3], icons)
"""


def test_alike_to_the_eye_whatever_the_number_of_threads(tmp_path):
    icons = []
    for threads in ("1", "2"):
        arguments = [threads, str(tmp_path / f"store{threads}"), str(tmp_path / f"{threads}.npy")]
        subprocess.run([sys.executable, "-c", IN_THREADS, *arguments], check=True, capture_output=True)
        icons.append(np.load(arguments[-1]))
    similar = [structural_similarity(a, b, channel_axis=2) for a, b in zip(*icons, strict=True)]
    assert np.median(similar) >= 0.95


ANEW = """
import sys
import numpy as np
import lucid_ext as lx
from lucid_ext.optvis import CHANNEL, stream_directions
store, icons = lx.IconStore(sys.argv[1]), []
for layer in ("mixed3b", "mixed4a", "mixed4d", "mixed5a"):
    eye = np.eye(lx.load_model("mini").layers[layer][-1], dtype=np.float32)[:80:20]
    found = stream_directions(lx.load_model("mini"), layer, eye, CHANNEL, store=store)
    icons += [icon.pixels for _, icon in sorted(found, key=lambda found: found[0])]
np.save(sys.argv[2], icons)
"""


def test_alike_to_the_eye_with_onednn_and_without(tmp_path):
    # Other convolutions round otherwise from the first step on.
    icons = []
    for switch in ("1", "0"):
        path, environment = tmp_path / f"{switch}.npy", {**os.environ, "TF_ENABLE_ONEDNN_OPTS": switch}
        command = [sys.executable, "-c", ANEW, str(tmp_path / switch), str(path)]
        subprocess.run(command, check=True, capture_output=True, env=environment)
        icons.append(np.load(path))
    similar = [structural_similarity(a, b, channel_axis=2) for a, b in zip(*icons, strict=True)]
    assert np.median(similar) >= 0.95


def test_a_batch_with_a_gap_is_drawn_as_a_whole_where_that_is_asked_for(model, store):
    found = dict(stream_directions(model, "mixed3a", np.eye(128)[: 2 * BATCH], QUICK, store=store))
    before = {path: path.read_bytes() for path in store.folder.rglob("*.png")}
    lost = sorted(before)[0]
    lost.unlink()
    again = dict(
        stream_directions(model, "mixed3a", np.eye(128)[: 2 * BATCH], QUICK, store=store, whole=True)
    )
    assert len(again) == 2 * BATCH
    assert all(np.array_equal(again[i].pixels, found[i].pixels) for i in found)
    assert {path: path.read_bytes() for path in store.folder.rglob("*.png")} == before


def test_second_time_comes_from_the_store(model, store, monkeypatch):
    first = quick(model, store, units=[1, 2])
    monkeypatch.setattr("lucid_ext.optvis.icon._render", None)
    assert np.array_equal(quick(model, store, units=[2, 1]), first[::-1])


def test_a_damaged_icon_is_rendered_again(model, store):
    first = quick(model, store, units=[1, 2])
    for path in sorted(store.folder.rglob("*.png"))[:1]:
        path.write_bytes(path.read_bytes()[:100])
    assert np.array_equal(quick(model, store, units=[1, 2]), first)


def test_a_channel_is_the_direction_of_its_axis(model, store):
    axis = np.zeros((1, 256), np.float32)
    axis[0, 7] = 3.0
    assert np.array_equal(quick(model, store, units=[7]), quick(model, store, directions=axis))


def test_icons_drive_their_direction(model, cat, store, rng):
    """Pictures made for cells of a photograph drive those directions more than noise does."""
    directions = model.activations(cat, LAYER)[[3, 9], [4, 6]]
    recipe = dataclasses.replace(SKETCH, steps=24)
    icons = lx.icons(model, LAYER, directions=directions, recipe=recipe, store=store, progress=False)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    noise = rng.integers(0, 256, icons.shape, dtype=np.uint8)
    own, other = (np.array(drive(model, LAYER, x, directions)) for x in (icons, noise))
    assert np.all(own > 1.2 * other)


def test_drive_is_the_largest_dot_product(model, rng):
    pixels = rng.integers(0, 256, (2, 48, 48, 3), dtype=np.uint8)
    directions = rng.normal(size=(2, 256)).astype(np.float32)
    acts = model.function("input", [LAYER])(pixels / np.float32(255))[0].numpy()
    expected = [np.max(a @ v) for a, v in zip(acts, directions, strict=True)]
    np.testing.assert_allclose(drive(model, LAYER, pixels, directions), expected, rtol=1e-4)


def test_stopping_drops_what_is_under_way_and_keeps_what_is_done(model, store):
    asked = []

    def go_on():
        asked.append(1)
        return len(asked) < 9  # in the middle of the second batch

    directions = np.eye(256, dtype=np.float32)[: 2 * BATCH]
    found = list(stream_directions(model, LAYER, directions, QUICK, store=store, go_on=go_on))
    assert [i for i, _ in found] == list(range(BATCH))
    assert len(list(store.folder.rglob("*.png"))) == BATCH
    rest = list(stream_directions(model, LAYER, directions, QUICK, store=store))
    assert [i for i, _ in rest] == list(range(2 * BATCH))
    assert np.array_equal(rest[3][1].pixels, found[3][1].pixels)


def test_bad_directions(model, store):
    with pytest.raises(ValueError, match=r"shape \(2, 3\); expected \(n, 256\) for mixed4a"):
        quick(model, store, directions=np.ones((2, 3)))
    with pytest.raises(ValueError, match="zero or not finite"):
        quick(model, store, directions=np.zeros((1, 256)))
    with pytest.raises(ValueError, match="zero or not finite"):
        quick(model, store, directions=np.full((1, 256), np.nan))


def test_unknown_layer_and_channel(model, store):
    with pytest.raises(ValueError, match="no layer 'mixed7a'"):
        lx.icons(model, "mixed7a", [0], store=store)
    with pytest.raises(ValueError, match="there is no 256"):
        quick(model, store, units=[256])
    with pytest.raises(ValueError, match="softmax2_pre_activation is no listed layer with positions"):
        lx.icons(model, "softmax2_pre_activation", [0], store=store)


def test_store_on_a_full_disk_still_gives_icons(model, tmp_path):
    (tmp_path / "icons").write_text("no folder can be made here")
    with pytest.warns(UserWarning, match="cannot be saved"):
        icons = quick(model, lx.IconStore(tmp_path), units=[0])
    assert icons.shape == (1, 48, 48, 3)


class TestShippedSheets:
    def test_belong_to_the_embedded_network(self, model):
        assert manifest(model.digest)["model"] == model.name
        assert shipped_sheet("0" * 64, LAYER) is None

    @pytest.mark.parametrize("name", ["mini", "efficientnet_lite0"])
    def test_cover_every_channel_of_the_layers_the_card_opens_with(self, name):
        network = lx.load_model(name)
        for layer in network.opening.series:
            sheet, channels = shipped_sheet(network.digest, layer), network.layers[layer][-1]
            size = recipe_of(network, layer).size
            assert len(sheet.drive) == len(sheet.percentile) == channels
            assert sheet.icons.shape == (channels, size, size, 3)

    def test_are_small(self):
        assert sum(p.stat().st_size for p in (FOLDER / "mini").iterdir()) <= 8_000_000

    def test_manifest_tells_the_truth(self, model, rng):
        """What it says of drive is what the pictures in the sheet do."""
        for layer in ("mixed3a", "mixed4d", "mixed5a"):
            sheet = shipped_sheet(model.digest, layer)
            units = rng.choice(len(sheet.drive), 6, replace=False)
            pixels = sheet.icons[units]
            directions = np.eye(len(sheet.drive), dtype=np.float32)[units]
            np.testing.assert_allclose(
                drive(model, layer, pixels, directions), np.array(sheet.drive)[units], rtol=1e-3, atol=1e-3
            )

    def test_icons_come_from_the_sheet_without_rendering(self, model, store):
        icons = lx.icons(model, "mixed4d", [0, 42], store=store, progress=False)
        sheet = shipped_sheet(model.digest, "mixed4d")
        assert np.array_equal(icons[1], sheet.icon(42).pixels)
        assert not store.folder.exists()

    def test_notes_say_how_an_icon_compares_with_photographs(self, model):
        sheet = shipped_sheet(model.digest, "mixed4d")
        made = dataclasses.replace(
            sheet, drive=[0.0, 2.0, 2.0], percentile=[0.0, 1.0, 0.99996], photographs=5000
        )
        assert made.notes == [
            "Dead: no picture was found that excites this channel.",
            "The icon excites it more than any of 5,000 photographs does.",
            "The icon excites it more than 99.9% of 5,000 photographs do.",
        ]

    def test_gate(self, model):
        """At least 80 % of 64 channels drawn of each layer pass the 99th percentile of photographs."""
        gate = manifest(model.digest)["gate"]
        assert gate["channels"] == 64
        assert min(gate["above_99th_percentile"].values()) >= 0.8

    @pytest.mark.parametrize("layer", lx.load_model("efficientnet_lite0").opening.series)
    def test_icons_drive_their_channels_harder_than_photographs(self, layer):
        """95 % of all channels of a layer; those that no photograph excites count as missed."""
        network = lx.load_model("efficientnet_lite0")
        sheet, (responses, _) = (f(network.digest, layer) for f in (shipped_sheet, shipped_responses))
        maxima = responses.astype(np.float32)
        strong = np.percentile(maxima, 99, axis=0)
        assert np.mean((np.array(sheet.drive) > strong) & (maxima.max(0) > 0)) >= 0.95

    @pytest.mark.parametrize("layer", lx.load_model().opening.series)
    def test_icons_are_of_their_own_channels(self, layer):
        """Of the bytes that are shipped, beside what 500 photographs do to the same channels."""
        network = lx.load_model()
        sheet, (responses, ids) = (f(network.digest, layer) for f in (shipped_sheet, shipped_responses))
        maxima = responses.astype(np.float32)
        strong = np.percentile(maxima, 99, axis=0)
        assert len(ids) == len(maxima) == sheet.photographs == 500
        chosen = np.random.default_rng(7).choice(len(sheet), 64, replace=False)
        run = network.function("input", [network.uncapped(layer)])
        drives = run(np.float32(sheet.icons[chosen]) / 255)[0].numpy().max((1, 2))
        own = drives[np.arange(64), chosen]
        np.testing.assert_allclose(own, np.array(sheet.drive)[chosen], rtol=1e-3, atol=1e-3)
        # An icon of everything would show nothing: its own channel is among the tenth that is driven most.
        relative = drives / np.maximum(strong, 1e-6)
        above = (relative > relative[np.arange(64), chosen][:, None]).mean(1)
        assert np.mean(above < 0.1) >= 0.7

    def test_gate_against_photographs(self, model, shared):
        """Percentiles in the manifest, again, from the photographs themselves."""
        import io
        import tarfile

        channels = {"mixed4a": [3, 90, 200], "mixed4d": [17, 100, 250]}
        maxima = {layer: [] for layer in channels}
        run = model.function("input", list(channels))
        with tarfile.open(shared / "tiny-imagenet" / "val.tar") as tar:
            members = sorted((m for m in tar.getmembers() if m.isfile()), key=lambda m: m.name)
            images = [lx.load_image(io.BytesIO(tar.extractfile(m).read()).getvalue()) for m in members[::5]]
        for start in range(0, len(images), 100):
            batch = tf.image.resize(
                np.stack(images[start : start + 100]), model.size, "bicubic", antialias=True
            )
            for layer, acts in zip(channels, run(tf.clip_by_value(batch, 0, 1)), strict=True):
                maxima[layer].append(acts.numpy().max((1, 2)))
        entries = json.loads((FOLDER / "mini" / "manifest.json").read_text())["layers"]
        for layer, units in channels.items():
            seen = np.concatenate(maxima[layer])[:, units]
            found = (seen < np.array(entries[layer]["drive"])[units]).mean(0)
            # A fifth of the photographs: within what such a sample allows.
            np.testing.assert_allclose(found, np.array(entries[layer]["percentile"])[units], atol=0.02)
