"""The command line, on a full-size network with random weights and expectations made for it."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import lucid_ext as lx
from lucid_ext.__main__ import main
from lucid_ext.models.samples import open_sample
from lucid_ext.models.verify import PUBLISHED, read_expectations

PICTURES = ("cat", "coffee")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for name in PICTURES:
        picture = open_sample(name)
        side = min(picture.size)
        picture.crop((0, 0, side, side)).resize((224, 224)).save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="module")
def truth(inception, folder):
    """What a version 1 session, and not this package, gives for the pictures."""
    truth = {"probabilities": {}, "activations": {}}
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.graph_util.import_graph_def(inception.graph_def, name="")
        for name in PICTURES:
            pixels = np.asarray(Image.open(folder / f"{name}.png"), np.float32)[None] - 117.0
            p, acts = (a[0] for a in session.run(["softmax2:0", "mixed4d:0"], {"input:0": pixels}))
            order = np.argsort(-p)[:3].tolist()
            truth["probabilities"][name] = [{"probability": float(p[i]), "class": i} for i in order]
            means = acts.mean((0, 1)).tolist()
            truth["activations"][name] = {"mixed4d": {"norm": float(np.linalg.norm(acts)), "means": means}}
    return truth


@pytest.fixture
def run(inception_file, folder, tmp_path, capsys):
    def run(expected, *options):
        file = tmp_path / "expected.json"
        file.write_text(expected if isinstance(expected, str) else json.dumps(expected))
        options = options or ("--images", str(folder))
        code = main(["models", "verify", str(inception_file), "--expected", str(file), *options])
        return code, *capsys.readouterr()

    return run


def copy(truth):
    return json.loads(json.dumps(truth))


def test_a_network_that_does_what_is_expected_of_it(run, truth):
    code, out, _ = run(truth)
    lines = out.splitlines()
    assert code == 0
    assert lines[-1] == "All 11 hold."
    assert all(line.endswith("holds") for line in lines[1:-1])
    assert sum("channel means" in line for line in lines) == 2
    top = truth["probabilities"]["cat"][0]
    assert any(f"{top['probability']:.3f} thing {top['class']}" in line for line in lines)


def other_class(expected):
    expected["probabilities"]["cat"][0]["class"] += 1


def other_probability(expected):
    expected["probabilities"]["coffee"][1]["probability"] += 0.03


def other_norm(expected):
    expected["activations"]["cat"]["mixed4d"]["norm"] *= 1.1


def other_channels(expected):
    means = expected["activations"]["coffee"]["mixed4d"]["means"]
    means[:20] = reversed(means[:20])


def too_few_channels(expected):
    expected["activations"]["coffee"]["mixed4d"]["means"].pop()


def no_such_picture(expected):
    expected["probabilities"]["pig"] = [{"probability": 0.998, "class": 147}]


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        (other_class, "cat, class 1"),
        (other_probability, "coffee, class 2"),
        (other_norm, "cat, mixed4d, norm"),
        (other_channels, "coffee, mixed4d, channel means"),
        (too_few_channels, "coffee, mixed4d, channels"),
        (no_such_picture, "pig"),
    ],
)
def test_each_difference_is_one_miss(run, truth, change, missed):
    expected = copy(truth)
    change(expected)
    code, out, _ = run(expected)
    misses = [line for line in out.splitlines() if line.endswith("MISS")]
    assert code == 1
    assert len(misses) == 1
    assert misses[0].startswith(missed)
    assert "1 of 1" in out.splitlines()[-1]


def test_a_network_with_other_weights_does_not_pass_for_the_published_one(inception_file, folder, capsys):
    (folder / "pig.png").write_bytes((folder / "cat.png").read_bytes())
    try:
        assert main(["models", "verify", str(inception_file), "--images", str(folder)]) == 1
    finally:
        (folder / "pig.png").unlink()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines if line.startswith("pig")] == [
        "pig, class 1",
        "pig, mixed4d, norm",
        "pig, mixed4d, channel means",
    ]
    assert sum(line.endswith("MISS") for line in lines) == 7


def test_without_pictures_only_nodes_and_weights_are_checked(inception_file, capsys):
    assert main(["models", "verify", str(inception_file)]) == 0
    assert "No pictures were compared" in capsys.readouterr().out


def test_a_network_nothing_was_published_of(capsys):
    assert main(["models", "verify", "mini"]) == 2
    out, errors = capsys.readouterr()
    assert "mini is not InceptionV1" in errors
    assert "nothing to compare it with: give expectations of its own" in errors
    assert "hold" not in out


def test_another_network_is_compared_with_its_own_expectations_alone(model, folder, tmp_path, capsys):
    probabilities = sorted(model.activations(lx.load_image(folder / "cat.png"), "softmax2"))[::-1]
    first = {"probability": float(probabilities[0]), "class": None}
    file = tmp_path / "expected.json"
    file.write_text(json.dumps({"probabilities": {"cat": [first]}, "activations": {}}), encoding="utf-8")
    options = ["--expected", str(file)]
    assert main(["models", "verify", "mini", *options, "--images", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("mini ")
    assert [line.split("  ")[0] for line in lines[1:]] == ["cat, class 1", "All 1 hold."]
    assert main(["models", "verify", "mini", *options]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "No pictures were compared: give their folder with --images."
    ]


@pytest.mark.parametrize("text", ["", "[]", '{"probabilities": {"cat": 3}, "activations": {}}'])
def test_expectations_that_are_none(run, text):
    code, out, errors = run(text)
    assert (code, out) == (2, "")
    assert "holds no expectations" in errors


def test_folder_that_is_none(run, truth, tmp_path):
    code, _, errors = run(truth, "--images", str(tmp_path / "nowhere"))
    assert code == 2
    assert "nowhere is no folder" in errors


def test_missing_network(capsys, tmp_path):
    assert main(["models", "verify", str(tmp_path / "nowhere.pb")]) == 2
    assert "there is no file" in capsys.readouterr().err


def test_published_numbers_are_those_of_the_article(shared):
    """Summaries of the published activations, computed again, and the published probabilities."""
    expected = read_expectations(PUBLISHED)
    for picture in ("pig", "beer"):
        acts = np.load(shared / "reference" / picture / "mixed4d_activations.npy")[0]
        summary = expected["activations"][picture]["mixed4d"]
        np.testing.assert_allclose(np.linalg.norm(acts), summary["norm"], rtol=1e-4)
        np.testing.assert_allclose(acts.mean((0, 1)), summary["means"], rtol=1e-3, atol=1e-6)
        top = json.loads((shared / "reference" / picture / "spatial_attr.json").read_text())["output"][0]
        assert expected["probabilities"][picture] == [{"probability": top["v"], "class": top["n"]}]


def test_help_is_quick_and_lists_commands():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "lucid_ext", "models", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "verify" in done.stdout
    assert "tensorflow" not in done.stderr
