"""Boards as data: ranking, sentences, saving, and what does not fit together."""

import dataclasses
import json
import os
import re
import resource

import numpy as np
import pytest

from lucid_ext.board import Board, Grid, Heat, Mixture, Ranking, Units, format_value, literal
from tests import memory

PICTURE = np.arange(8 * 12 * 3, dtype=np.uint8).reshape(8, 12, 3)


def board(**changes) -> Board:
    """A picture of 2 x 3 cells, four units, and three classes."""
    rng = np.random.default_rng(0)
    atoms = np.array([[0, 2], [1, 3], [2, 0], [3, 1], [0, 1], [2, 3]], np.int32)
    values = np.sort(rng.random((6, 2), dtype=np.float32))[:, ::-1] * 3
    units = Units(
        "units",
        "Channels",
        ["a:0", "a:1", "a:2", "<script>alert(1)</script>"],
        notes=["", "dead", "", ""],
        icons=rng.integers(0, 256, (3, 8, 8, 3), dtype=np.uint8),
        icon_of=np.array([0, 1, -1, 2], np.int32),
        illustrated=True,
        scale=3.0,
        shown=2,
        most=2,
    )
    classes = Units(
        "classes",
        "Prediction",
        ["cat", "cup", "dog"],
        values=np.float32([0.2, 0.7, 0.1]),
        format="percent",
        shown=2,
    )
    fields = {
        "title": "A board",
        "reading": "Read it so.",
        "panels": [Grid("image", "Picture", PICTURE, 2, 3, start=1, places={"There": 4}), units, classes],
        "links": [
            Ranking("image", "units", atoms, values),
            Heat("units", "image", rng.random((4, 6), dtype=np.float32)),
            Mixture("units", "units", np.array([[0], [1], [1], [2]], np.int32), np.ones((4, 1), np.float32)),
        ],
        "formula": r"a_{y,x} = \sum_c a_{y,x,c}",
        "caption": "{image}: {units.1} ({units.1.value}), then {units.2}; {classes.1} ({classes.1.value}).",
        "choice": {"layer": "a", "basis": "channels"},
    }
    return Board(**{**fields, **changes})


def equal(a, b) -> bool:
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if dataclasses.is_dataclass(a):
        names = [f.name for f in dataclasses.fields(a)]
        return type(a) is type(b) and all(equal(getattr(a, n), getattr(b, n)) for n in names)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


def test_rows_follow_the_selection():
    b = board()
    link = b.link("image", "units")
    assert b.rows("units", {"image": 3}) == [(3, float(link.values[3, 0])), (1, float(link.values[3, 1]))]
    assert b.rows("units", {}) == []


def test_rows_without_a_ranking_fall_by_value():
    assert [atom for atom, _ in board().rows("classes", {"image": 0})] == [1, 0]


def test_caption_is_written_from_the_data():
    b = board()
    value = format_value(float(b.link("image", "units").values[2, 0]), "number")
    assert b.describe({"image": 2}) == f"row 0, column 2: a:2 ({value}), then a:0; cup (70.0%)."


def test_caption_may_speak_of_more_rows_than_a_list_shows_at_first():
    short = dataclasses.replace(board()["units"], shown=1)
    b = board(panels=[board()["image"], short, board()["classes"]], caption="{units.1} and {units.2}")
    assert b.describe({"image": 2}) == "a:2 and a:0"


def test_selection_is_carried_to_another_board():
    before = board()
    finer = Grid("image", "Picture", PICTURE, 4, 6)
    fewer = dataclasses.replace(
        before["units"], labels=["a:9", "a:2"], notes=[], icons=None, icon_of=None, shown=1
    )
    after = Board("t", "r", [finer, fewer])
    # The middle of row 1, column 2 of 2 x 3 lies in row 3, column 5 of 4 x 6.
    assert after.carry({"image": 5, "units": 2, "gone": 0}, before) == {"image": 23, "units": 1}
    assert after.carry({"units": 0}, before) == {}
    assert after.carry({"image": 99}, before) == {}


def test_caption_says_nothing_it_does_not_know():
    assert board().describe({}) == ""
    assert board(caption="{image} and {units.9}").describe({"image": 0}) == ""


@pytest.mark.parametrize(
    ("value", "how", "text"),
    [
        (0.125, "number", "0.13"),
        (-0.125, "number", "\u22120.13"),
        (2.675, "number", "2.67"),
        (0.12345, "percent", "12.3%"),
        (1.0, "percent", "100.0%"),
    ],
)
def test_values_are_printed_as_the_view_prints_them(value, how, text):
    assert format_value(value, how) == text


def test_round_trip(tmp_path):
    b = board()
    b.save(tmp_path / "board.npz")
    assert equal(Board.load(tmp_path / "board.npz"), b)


def test_a_board_saved_by_an_earlier_version_is_loaded(tmp_path):
    """It may have variants, and sentences of which one slot named no panel, so that they were never said."""
    path = tmp_path / "board.npz"
    board(choice={"layer": "b"}).save(path)
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    document = json.loads(arrays.pop("board").tobytes())
    fields = document["board"]["fields"]
    assert "variants" not in fields
    inner = json.loads(json.dumps(document["board"]))
    fields["variants"] = [{**inner, "fields": {**inner["fields"], "variants": []}}]
    fields["caption"] = ["At {caricature}, {units.1}.", fields["caption"]]
    text = np.frombuffer(json.dumps(document).encode(), np.uint8)
    np.savez_compressed(path, **arrays, board=text)
    expected = board(choice={"layer": "b"}, caption=[board().caption])
    assert equal(Board.load(path), expected)


@pytest.mark.parametrize(
    ("caption", "said"),
    [
        ("{imge} is bad", r"the caption has {imge}, but the panels are image, units, classes\."),
        (["{image}", "{nobody.1.value}"], r"has {nobody\.1\.value}, but the panels are image"),
        ("{image.1}", r"has {image\.1}, but 'image' is no list of units: use {image}\."),
        ("{units.1.val}", r"has {units\.1\.val}; expected {units}, {units\.1} or {units\.1\.value}\."),
        ("{units.0}", r"has {units\.0}; expected {units}, "),
    ],
)
def test_a_slot_of_a_caption_that_names_nothing_is_refused(caption, said):
    with pytest.raises(ValueError, match=f"{said}"):
        board(caption=caption)


def test_names_of_panels_may_have_points_and_texts_braces():
    grid = dataclasses.replace(board()["image"], name="block.1")
    made = Board(
        "t", "r", [grid], caption=["{block.1.1} and {block.1}", "Nothing {is meant} by { or } or {}."]
    )
    assert made.describe({}) == "Nothing {is meant} by { or } or {}."
    label = "{imge} {units.1}"
    said = board(caption=f"{literal(label)} at {{image}}").describe({"image": 2})
    assert said.replace("\u2060", "") == f"{label} at row 0, column 2"


def test_what_is_no_panel_and_no_link_is_refused():
    b = board()
    assert broken(lambda: Board("t", "r", [b["image"], "units"])) == (
        "panel 1 of the board is a str; expected a Grid or Units or Cards or Flow."
    )
    assert broken(lambda: Board("t", "r", b["image"])) == (
        "the panels of a board are a Grid; expected a list of Grid or Units or Cards or Flow."
    )
    assert broken(lambda: board(links=[("image", "units")])) == (
        "link 0 of the board is a tuple; expected a Heat or Ranking or Mixture or Dials."
    )
    assert broken(lambda: board(links=b.links[0])).startswith("the links of a board are a Ranking; expected")


def test_a_link_of_wrong_shape_says_what_was_expected():
    b = board()
    heat, ranking = b.link("units", "image"), b.link("image", "units")
    changed = dataclasses.replace
    assert broken(lambda: board(links=[changed(heat, weights=np.ones((6, 4)))])) == (
        "the link from 'units' to 'image' has weights of shape (6, 4); expected (4, 6), a row for each "
        "atom of 'units' and a column for each cell of 'image'."
    )
    assert broken(lambda: board(links=[Heat("units", "classes", np.ones((4, 3)))])) == (
        "the link from 'units' to 'classes' lights up cells, but 'classes' is a Units: expected a Grid."
    )
    assert broken(lambda: board(links=[changed(ranking, values=ranking.values[:, :1])])) == (
        "the link from 'image' to 'units' has atoms of shape (6, 2) and values of shape (6, 1); expected "
        "(6, k) of both, a row for each atom of 'image'."
    )
    flat = changed(ranking, atoms=ranking.atoms[:, 0], values=ranking.values[:, 0])
    assert "has atoms of shape (6,) and values of shape (6,); expected (6, k)" in broken(
        lambda: board(links=[flat])
    )
    assert "lead to, but 'image' is a Grid." in broken(
        lambda: board(links=[changed(ranking, target="image")])
    )


def test_a_board_is_called_by_its_title_and_panels():
    assert repr(board()) == "Board('A board': image, units, classes)"


def test_a_saved_board_holds_no_pickle(tmp_path):
    board().save(tmp_path / "board.npz")
    with np.load(tmp_path / "board.npz", allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file.files)


@pytest.mark.parametrize(
    "damage", [lambda d: d[:-50], lambda d: b"", lambda d: b"junk" * 99, lambda d: d[40:]]
)
def test_damaged_file(tmp_path, damage):
    path = tmp_path / "board.npz"
    board().save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="is not a saved board or is damaged"):
        Board.load(path)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        Board.load(tmp_path / "nothing.npz")


def broken(make):
    with pytest.raises(ValueError) as error:  # noqa: PT011  the message is what is tested
        make()
    return str(error.value)


def test_what_does_not_fit_is_refused():
    b = board()
    ranking = b.link("image", "units")
    heat = b.link("units", "image")
    assert "names panel 'nobody'" in broken(lambda: board(links=[dataclasses.replace(heat, source="nobody")]))
    assert "expected (4, 6)" in broken(
        lambda: board(links=[dataclasses.replace(heat, weights=np.ones((6, 4)))])
    )
    assert "expected (6, k)" in broken(
        lambda: board(links=[dataclasses.replace(ranking, atoms=ranking.atoms[:5])])
    )
    outside = dataclasses.replace(ranking, atoms=ranking.atoms + 3)
    assert "outside 0..3" in broken(lambda: board(links=[outside]))
    assert "share a name" in broken(lambda: board(panels=[*b.panels, b["image"]]))
    assert "atom 6 of 6" in broken(lambda: dataclasses.replace(b["image"], start=6))
    assert "expected uint8" in broken(lambda: dataclasses.replace(b["image"], picture=PICTURE / 255))
    assert "is not said to be illustrated" in broken(
        lambda: dataclasses.replace(b["units"], illustrated=False)
    )
    assert "expected a scale above 0" in broken(lambda: dataclasses.replace(b["units"], scale=0.0))
    assert "one of number, percent" in broken(lambda: dataclasses.replace(b["units"], format="odds"))
    assert "shows 3 of at most 2 rows" in broken(lambda: dataclasses.replace(b["units"], shown=3))
    unknown = dataclasses.replace(heat, weights=heat.weights * np.nan)
    assert "not finite numbers" in broken(lambda: board(links=[unknown]))
    assert "expected one above 0" in broken(lambda: board(links=[dataclasses.replace(heat, scale=0.0)]))
    mixture = b.link("units", "units")
    negative = dataclasses.replace(mixture, weights=-mixture.weights)
    assert "negative or not numbers" in broken(lambda: board(links=[negative]))
    to_grid = dataclasses.replace(ranking, target="image")
    assert "needs a list of units" in broken(lambda: board(links=[to_grid]))
    assert "icons and icon_of together" in broken(lambda: dataclasses.replace(b["units"], icon_of=None))
    assert "expected (4,)" in broken(lambda: dataclasses.replace(b["units"], values=np.ones(3, np.float32)))
    assert "notes for 4 units" in broken(lambda: dataclasses.replace(b["units"], notes=["one"]))


def test_unknown_panel_names_the_known_ones():
    with pytest.raises(KeyError, match="the panels are image, units, classes"):
        board()["pictures"]


def scene(**changes) -> Board:
    """A picture, and two grids of cells that share its places; only the coarse one has a ranking."""
    fine = Grid("fine", "Fine", PICTURE, 4, 6, start=None, tiled=True)
    coarse = Grid("coarse", "Coarse", PICTURE, 2, 3, dead=np.array([False] * 5 + [True]))
    units = Units("units", "Channels", ["a:0", "a:1"])
    atoms = np.array([[0, 1]] * 5 + [[1, 0]], np.int32)
    link = Ranking("coarse", "units", atoms, np.ones((6, 2), np.float32))
    fields = {
        "panels": [fine, coarse, units],
        "links": [link],
        "caption": ["{coarse}: {units.1}", "{units.1}"],
    }
    return Board("t", "r", **{**fields, **changes})


def test_a_grid_without_a_ranking_speaks_for_the_same_place():
    b = scene()
    assert b.rows("units", {"fine": 23})[0][0] == 1  # in the last cell of the coarse grid
    assert b.rows("units", {"fine": 0})[0][0] == 0
    apart = dataclasses.replace(b["fine"], scene="another")
    assert scene(panels=[apart, b["coarse"], b["units"]]).rows("units", {"fine": 23}) == []


def test_of_several_sentences_the_first_that_fits_speaks():
    assert scene().describe({"coarse": 0}) == "row 0, column 0: a:0"
    assert scene().describe({"fine": 23}) == "a:1"


def test_dead_cells_are_called_so():
    assert scene().describe({"coarse": 5}) == "row 1, column 2 (dead): a:1"


def test_grids_whose_arrays_do_not_fit_are_refused():
    grid, tiles = scene()["fine"], np.zeros((1, 4, 4, 3), np.uint8)

    def changed(**changes):
        return broken(lambda: dataclasses.replace(grid, **changes))

    assert "tiles and tile_of together" in changed(tiles=tiles)
    index = np.zeros(24, np.int32)
    assert "is not said to be tiled" in changed(tiles=tiles, tile_of=index, tiled=False)
    assert "tile_of of panel 'fine' has shape (6,); expected (24,)" in changed(tiles=tiles, tile_of=index[:6])
    assert "are not uint8" in changed(tiles=tiles / 255, tile_of=index)
    assert "sizes of panel 'fine' has shape (6,)" in changed(sizes=np.ones(6))
    assert "not all between 0 and 1" in changed(sizes=np.full(24, 2.0))
    assert "negative or not numbers" in changed(values=np.full(24, np.nan))


@pytest.mark.parametrize(
    ("selected", "said"),
    [
        ({"nobody": 1}, r"there is no panel 'nobody' to select in; the panels are image, units, classes"),
        (
            {"image": 6},
            r"6 cannot be selected in panel 'image'; expected a whole number from 0 to 5 \(row \* 3",
        ),
        ({"image": (0, 1)}, r"\(0, 1\) cannot be selected"),
        ({"image": -1}, "-1 cannot be selected"),
        ({"units": "a:0"}, "'a:0' cannot be selected in panel 'units'; expected a whole number from 0 to 3"),
        ({"units": 1.5}, "1.5 cannot"),
        ({"units": True}, "True cannot"),
        ({"units": None}, "None cannot"),
    ],
)
def test_what_is_not_on_the_board_cannot_be_selected(selected, said):
    with pytest.raises(ValueError, match=said):
        board().check_selection(selected)


def test_whatever_is_on_the_board_can_be_selected():
    board().check_selection({"image": 5, "units": np.int32(3)})
    board().check_selection({})


FIELDS = [
    ("title", 3, "title of a Board is 3; expected str"),
    ("title", {"a": 1}, "title of a Board"),
    ("reading", None, "reading of a Board is None"),
    ("caption", ["a", 1], "caption of a Board"),
    ("choice", {"layer": 1}, "choice of a Board"),
    ("formula", b"x", "formula of a Board"),
]


@pytest.mark.parametrize(("field", "value", "said"), FIELDS)
def test_a_field_holds_what_it_says(field, value, said):
    with pytest.raises(ValueError, match=said):
        board(**{field: value})


@pytest.mark.parametrize(
    ("panel", "changes", "said"),
    [
        ("units", {"labels": ["a", 1, "c", "d"]}, "labels of a Units"),
        ("units", {"title": ["x"]}, r"title of a Units is \['x'\]"),
        ("classes", {"values": [0.2, 0.7, 0.1]}, "values of a Units"),
        ("image", {"note": 1}, "note of a Grid is 1"),
        ("image", {"rows": 10**9}, "1000000000 x 3 cells"),
        ("image", {"rows": -1, "cols": -1}, "-1 x -1 cells"),
    ],
)
def test_a_field_of_a_panel_holds_what_it_says(panel, changes, said):
    with pytest.raises(ValueError, match=said):
        board(panels=[dataclasses.replace(p, **changes) if p.name == panel else p for p in board().panels])


def saved(path, document) -> None:
    """A file as `save` writes it, that says anything."""
    text = json.dumps({"format": 1, "board": document}).encode()
    np.savez_compressed(path, board=np.frombuffer(text, np.uint8))


@pytest.mark.parametrize(
    "document",
    [
        [],
        None,
        {"kind": "Units", "fields": {"name": "a", "title": "b", "labels": ["c"]}},
        {"kind": "Board", "fields": {"title": 3, "reading": "", "panels": []}},
        {"kind": "Board", "fields": {"title": "a", "reading": "", "panels": [[]]}},
        {"kind": "Board", "fields": {}},
        {"kind": "Nothing", "fields": {}},
    ],
)
def test_what_is_no_board_is_not_loaded(tmp_path, document):
    saved(tmp_path / "board.npz", document)
    with pytest.raises(ValueError, match="is not a saved board or is damaged"):
        Board.load(tmp_path / "board.npz")


@memory.needs_linux
def test_a_file_that_claims_to_be_large_is_refused_unread(tmp_path):
    """Half a megabyte that would become a gigabyte; and less, of which the text would."""
    document = {"kind": "Board", "fields": {"title": "a" * 20_000_000, "reading": "", "panels": []}}
    saved(tmp_path / "text.npz", document)
    np.savez_compressed(
        tmp_path / "arrays.npz", board=np.zeros(2, np.uint8), array0=np.zeros(10**9, np.uint8)
    )
    code = """
        import sys
        import numpy
        from lucid_ext.board import Board
        before = peak()
        for path in sys.argv[1:]:
            try: Board.load(path)
            except ValueError as error: print(error)
        print(peak() - before)
    """
    paths = [tmp_path / f"{name}.npz" for name in ("text", "arrays")]
    assert all(path.stat().st_size < 1_100_000 for path in paths)
    *said, grown = memory.run(code, *paths)
    for path, sentence in zip(paths, said, strict=True):
        wanted = rf"{path} would take [\d,]+ MB of memory; expected at most 256: .* a larger max_bytes\."
        assert re.fullmatch(wanted, sentence)
    assert int(grown) < 50_000_000
    loaded = Board.load(tmp_path / "text.npz", max_bytes=400_000_000)
    assert len(loaded.title) == 20_000_000


def test_a_pipe_is_no_board(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="is not a saved board"):
        Board.load(tmp_path / "pipe")


def test_a_board_that_cannot_be_saved_leaves_the_one_before(tmp_path):
    """The system cuts the file off in the middle, as on a full disk."""
    path = tmp_path / "board.npz"
    board().save(path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(ValueError, match=r"board.npz cannot be written \(File too large\)"):
            board(title="another").save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert equal(Board.load(path), board())
    assert [p.name for p in tmp_path.iterdir()] == ["board.npz"]
