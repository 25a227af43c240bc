"""`icons` and `export` on the command line: what they make, refuse, and leave behind when they are ended."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from PIL import Image

import lucid_ext as lx
from lucid_ext.__main__ import main
from lucid_ext.commands.sheet import parse_units
from lucid_ext.optvis.icon import receipt
from lucid_ext.optvis.store import icon_key

LAYER, QUICK = "mixed3a", lx.Recipe(size=32, steps=4)
OPTIONS = ["--size", "32", "--steps", "4"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LUCID_EXT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def run(capsys):
    def run(*arguments):
        code = main([*arguments, *OPTIONS])
        return code, *capsys.readouterr()

    return run


def icons_in(cache):
    return list((cache / "icons").rglob("*.png"))


def expected(model, units, folder):
    return lx.icons(model, LAYER, units, recipe=QUICK, store=lx.IconStore(folder), progress=False)


def test_units(model):
    assert parse_units("3", model, LAYER) == [3]
    assert parse_units("0-3, 9,2-4", model, LAYER) == [0, 1, 2, 3, 9, 4]
    assert parse_units(None, model, LAYER) == list(range(model.layers[LAYER][-1]))


@pytest.mark.parametrize("text", ["", "a", "3-", "-3", "5-3", "1,,2", "1.5", "1-2-3"])
def test_units_that_are_none(run, text):
    code, out, errors = run("icons", "mini", LAYER, f"--units={text}")
    assert (code, out) == (2, "")
    assert errors == f"--units is {text!r}; expected numbers and ranges of them, as in 0-63,70.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["icons", "mini", "mixed7a"], "no layer 'mixed7a'"),
        (["icons", "mini", LAYER, "--units", "0-9999"], "there is no 9999"),
        (["icons", "mini", LAYER, "--jobs", "0"], "--jobs is 0; expected 1 or more"),
        (["icons", "mini", LAYER, "--seed", "-1"], "--seed is -1; expected 0 or more"),
        (["icons", "mini", LAYER, "--verify", "0"], "--verify is 0"),
        (["icons", "mini", LAYER, "--verify", "3"], "no such icons of mixed3a in .* render them first"),
        (["icons", "nowhere.pb", LAYER], "there is no file nowhere.pb"),
        (["export", "mini", LAYER, "out.jpg"], "ends in '.jpg'; expected .webp or .png"),
        (["export", "mini", LAYER, "nowhere/out.png"], "there is no folder nowhere"),
        (["export", "mini", LAYER, "out.webp", "--quality", "0"], "--quality is 0"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(run, cache, arguments, said):
    code, out, errors = run(*arguments)
    assert (code, out) == (2, "")
    assert re.search(said, errors)
    assert len(errors.splitlines()) == 1
    assert not icons_in(cache)


def test_icons_are_rendered_into_the_store_with_progress(run, cache, model, tmp_path):
    code, out, errors = run("icons", "mini", LAYER, "mixed3b", "--units", "0-2,9")
    assert code == 0
    assert out.splitlines() == [f"4 icons of {layer} are at hand." for layer in (LAYER, "mixed3b")]
    assert f"{LAYER}: 100%" in errors
    assert len(icons_in(cache)) == 8
    store = lx.IconStore()
    for unit, pixels in zip((0, 1, 2, 9), expected(model, [0, 1, 2, 9], tmp_path), strict=True):
        found = store.get(icon_key(receipt(model, LAYER, unit, QUICK)), QUICK.size)
        assert np.array_equal(found.pixels, pixels)
    written = {path: path.stat().st_mtime_ns for path in icons_in(cache)}
    assert run("icons", "mini", LAYER, "--units", "0-2,9")[0] == 0
    assert written == {path: path.stat().st_mtime_ns for path in icons_in(cache)}


def test_verify_renders_again_and_compares(run, cache):
    run("icons", "mini", LAYER, "--units", "0-7")
    code, out, _ = run("icons", "mini", LAYER, "--units", "0-7", "--verify", "3")
    *rows, verdict = out.splitlines()
    assert code == 0
    assert rows[0].split() == ["SSIM", "objective", "again"]
    assert len(rows) == 4
    for row in rows[1:]:
        name, ssim, then, now = row.split()
        assert re.fullmatch(rf"{LAYER}:[0-7]", name)
        assert float(ssim) == 1.0
        assert then == now
    assert verdict == "Median SSIM of 3 of 8 icons of mixed3a: 1.000, the same to the eye."
    assert len(icons_in(cache)) == 8


def test_verify_notices_icons_that_are_others(run, model):
    """Whole files, with sound receipts, of pictures that the recipe does not make."""
    run("icons", "mini", LAYER, "--units", "0-4")
    store = lx.IconStore()
    for unit in range(3):
        made = receipt(model, LAYER, unit, QUICK)
        icon = store.get(icon_key(made), QUICK.size)
        store.put(icon_key(made), lx.optvis.Icon(icon.pixels[::-1], icon.drive / 2), made)
    code, out, _ = run("icons", "mini", LAYER, "--units", "0-4", "--verify", "9")
    assert code == 1
    assert out.splitlines()[-1].endswith("less than 0.95: they have changed.")
    other = [float(row.split()[1]) < 0.95 for row in out.splitlines()[1:-1]]
    assert other == [True] * 3 + [False] * 2


@pytest.mark.parametrize("form", ["png", "webp"])
def test_export(run, model, tmp_path, form):
    units = [4, 0, 1, 2, 3, 30]
    out = tmp_path / f"sheet.{form}"
    code, said, _ = run("export", "mini", LAYER, str(out), "--units", "4,0-3,30", "--seed", "1")
    assert code == 0
    assert f"6 icons of {LAYER}, 3 in a row" in said
    made = json.loads(out.with_suffix(".json").read_text())
    assert (made["model"], made["weights"], made["layer"]) == ("mini", model.digest, LAYER)
    assert (made["size"], made["columns"], made["seed"], made["recipe"]["steps"]) == (32, 3, 1, 4)
    assert [entry["unit"] for entry in made["icons"]] == units
    with Image.open(out) as picture:
        assert picture.size == (96, 64)
        sheet = np.asarray(picture.convert("RGB"), np.float32)
    for i, entry in enumerate(made["icons"]):
        icon = lx.IconStore().get(entry["key"], made["size"])
        assert entry["drive"] == icon.drive
        y, x = 32 * (i // 3), 32 * (i % 3)
        apart = np.abs(sheet[y : y + 32, x : x + 32] - icon.pixels)
        assert apart.max() == 0 if form == "png" else apart.mean() < 12


def test_export_of_shipped_icons_renders_nothing(cache, model, tmp_path, capsys):
    out = tmp_path / "sheet.png"
    assert main(["export", "mini", "mixed4d", str(out), "--units", "42"]) == 0
    with Image.open(out) as picture:
        assert np.array_equal(np.asarray(picture), lx.icons(model, "mixed4d", [42], progress=False)[0])
    assert not icons_in(cache)


def start(*options, **streams):
    """The command in a process group of its own, as a shell starts it."""
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "lucid_ext",
            "icons",
            "mini",
            LAYER,
            "--size",
            "32",
            "--steps",
            "30",
            *options,
        ],
        env={k: v for k, v in os.environ.items() if k != lx.LOG_LEVEL},
        text=True,
        start_new_session=True,
        # A test run that was itself started in the background has SIGINT ignored, and would pass that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **(streams or {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}),
    )


def wait_for_more_icons(cache, process, than):
    while len(icons_in(cache)) <= than:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_keeps_what_is_there_and_says_so(cache, jobs):
    process = start("--units", "0-95", "--jobs", jobs)
    wait_for_more_icons(cache, process, 0)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    out, errors = process.communicate(timeout=60)
    kept = len(icons_in(cache))
    assert (process.returncode, out) == (130, "")
    assert 0 < kept < 96
    assert "Traceback" not in errors
    assert errors.splitlines()[-1] == (
        f"Interrupted: {kept} of 96 icons of {LAYER} are kept in {cache / 'icons'}; "
        "the same command goes on from there."
    )


def test_killed_at_any_moment_it_goes_on(cache, model, tmp_path):
    drawn, had = random.Random(0), 0
    for _ in range(2):
        process = start("--units", "0-31")
        wait_for_more_icons(cache, process, had)
        time.sleep(drawn.uniform(0, 0.2))
        process.kill()
        process.communicate()
        had = len(icons_in(cache))
        assert 0 < had < 32
    process = start("--units", "0-31")
    out, errors = process.communicate()
    assert (process.returncode, out) == (0, f"32 icons of {LAYER} are at hand.\n")
    assert "100%" in errors
    recipe, fresh = lx.Recipe(size=32, steps=30), lx.IconStore(tmp_path)
    undisturbed = lx.icons(model, LAYER, range(32), recipe=recipe, store=fresh, progress=False)
    for unit in range(32):
        icon = lx.IconStore().get(icon_key(receipt(model, LAYER, unit, recipe)), recipe.size)
        assert np.array_equal(icon.pixels, undisturbed[unit])


def test_workers_whose_parent_is_killed_soon_stop(cache):
    quiet = subprocess.DEVNULL  # a pipe would end with the workers
    process = start("--units", "0-95", "--jobs", "2", stdout=quiet, stderr=quiet)
    wait_for_more_icons(cache, process, 0)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive
