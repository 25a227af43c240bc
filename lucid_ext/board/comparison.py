"""Two boards under one selection, with what differs between them.

Of every panel the pair shows that of the first board, that of the second, and their difference:
for a grid whose cells a list describes, how far each cell's values have turned; for other pictures,
the signed difference of the pictures; for a list, its units by how much they differ, with the sign.
"""

import dataclasses
import re
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from PIL import Image

from lucid_ext.board import Board, Grid, Heat, Link, Panel, Ranking, Units, literal
from lucid_ext.board.drilldown import Trail
from lucid_ext.board.panels import Cards
from lucid_ext.board.panels.flow import Flow

FIRST, SECOND, BETWEEN = "a_", "b_", "d_"
"""How panels of the pair are named: after the board they are of, or what lies between the two."""

LEAST_CHANGE = 1 / 255  # a difference of pictures is shown no stronger than as if it were this
FORMULA = r"\qquad d_{y,x} = a^{A}_{y,x} - a^{B}_{y,x}, \quad 1 - \cos(a^{A}_{y,x}, a^{B}_{y,x})"


def pair(
    a: Board,
    b: Board,
    names: tuple[str, str] = ("A", "B"),
    choice: Mapping[str, str] | None = None,
    seen: Sequence[tuple[np.ndarray, np.ndarray]] = (),
) -> Board:
    """One board of two that have the same panels.

    Cells are compared by the rankings of their lists; a unit that only one board ranks for a cell is
    left out. Lists whose units are found in one picture alone (`Units.passing`) are not compared.

    Args:
        a: the first board.
        b: the second.
        names: what to call them.
        choice: where the pair stands among its variants; by default where `a` stands.
        seen: of pictures that are subtracted, what to take in their place: (picture of a grid, float32
            (H, W, 3) in [0, 1]). Photographs may be shown larger than a network sees them.

    Raises:
        ValueError: the boards do not have the same panels.
    """
    _check_alike(a, b)
    first, second = names
    said = (literal(first), literal(second))
    links: list[Link] = [_renamed(link, FIRST) for link in a.links if not isinstance(link, Heat)]
    links += [_renamed(link, SECOND) for link in b.links if not isinstance(link, Heat)]
    links += _heats(a, b)
    links += _asked_of_both(a, b)
    rows: list[list[Panel]] = []
    captions = []
    lists = [p for p in a.panels if isinstance(p, Units)]
    different = [p.name for p in lists if isinstance(q := b[p.name], Units) and _differs(p, q, a, b)]
    for p in a.panels:
        q = b[p.name]
        row = [_called(p, FIRST, first), _called(q, SECOND, second)]
        if isinstance(p, Grid) and isinstance(q, Grid):
            between, more = _between(p, q, a, b, seen)
            row.append(between)
            links += more
            captions += [
                _caption(side + p.name, p.name, a, different, said) for side in (FIRST, SECOND, BETWEEN)
            ]
        elif isinstance(p, Units) and isinstance(q, Units) and p.name in different:
            row.append(_difference(p, q, a, b))
        rows.append(row)
    captions += _captions_of_lists(a, b, said)
    rows.sort(key=len, reverse=True)  # what has no difference would break the columns
    return Board(
        title=f"{a.title}: {first} and {second}",
        reading=f"{a.reading} Each row shows {first}, then {second}, then what differs: dark or grey where "
        f"they agree; a number above zero is more in {first}.",
        panels=[panel for row in rows for panel in row],
        links=links,
        formula=a.formula + FORMULA,
        caption=[sentence for sentence in captions if sentence],
        choice=dict(a.choice if choice is None else choice),
        trail=_both_trails(a, b),
    )


def _check_alike(a: Board, b: Board) -> None:
    if any(isinstance(panel, Flow) for panel in a.panels):
        raise ValueError(
            "a flow has no pair: its nodes are found in one picture alone. Make a board of each picture."
        )
    shapes = []
    for board in (a, b):
        shapes.append(
            [
                (p.name, p.rows, p.cols) if isinstance(p, Grid) else (p.name, p.passing or list(p.labels))
                for p in board.panels
                if not isinstance(p, Flow)
            ]
        )
    if shapes[0] != shapes[1]:
        known = [", ".join(p.name for p in board.panels) for board in (a, b)]
        raise ValueError(
            f"the boards of a pair need the same panels, with the same cells and units; "
            f"they have {known[0]} and {known[1]}."
        )


def _comparable(panel: Panel) -> bool:
    """Whether a list's units are the same on another board, and more than one."""
    return isinstance(panel, Units) and not panel.passing and not panel.large


def _differs(p: Units, q: Units, a: Board, b: Board) -> bool:
    """Whether there is a difference of two lists to show: of their own values, or for the cells of a grid."""
    if not _comparable(p):
        return False
    grids = [panel.name for panel in a.panels if isinstance(panel, Grid)]
    of_cells = [link.target for name in grids for link, _ in _compared(name, a, b)]
    return (p.values is not None and q.values is not None) or p.name in of_cells


def _called(panel: Panel, side: str, name: str) -> Panel:
    """A board's panel in the pair: renamed, its title with the name of the board."""
    changes = {"name": side + panel.name, "title": f"{panel.title}, {name}"}
    if isinstance(panel, Grid):
        start = panel.start if side == FIRST else None
        return dataclasses.replace(panel, **changes, start=start)  # type: ignore[arg-type]
    assert isinstance(panel, Units)
    if panel.named_after:
        changes["named_after"] = side + panel.named_after
    if isinstance(panel, Cards) and panel.strip:
        changes["strip"] = side + panel.strip
    # Lists side by side have one length.
    return dataclasses.replace(panel, **changes, most=panel.shown)  # type: ignore[arg-type]


def _renamed(link: Link, side: str) -> Link:
    return dataclasses.replace(link, source=side + link.source, target=side + link.target)


def _captions_of_lists(a: Board, b: Board, names: tuple[str, str]) -> list[str]:
    """What the boards say themselves, where lists are asked: of cards, which are all picked, both at once."""
    said = [
        [re.sub(r"\{(?=\w)", "{" + side, text) for text in board.captions]  # {panel}
        for side, board in ((FIRST, a), (SECOND, b))
    ]
    if a.trail and b.trail:
        return [*_asked_of_either(a, b, names), *said[0], *said[1]]
    if any(isinstance(panel, Cards) for panel in a.panels):
        pairs = zip(*said, strict=False)
        return [f"{names[0]}: {one} {names[1]}: {other}" for one, other in pairs]
    return []


def _asked_of_either(a: Board, b: Board, names: tuple[str, str]) -> list[str]:
    """What both boards say of a question asked on one: {list} is what is asked, {list.1} an answer."""
    said = []
    for asked in (FIRST, SECOND):
        for sentences in zip(a.captions, b.captions, strict=False):
            both = [
                re.sub(r"\{(\w+)\.", rf"{{{side}\1.", re.sub(r"\{(\w+)\}", rf"{{{asked}\1}}", text))
                for side, text in zip((FIRST, SECOND), sentences, strict=True)
            ]
            said.append(" ".join(f"{name}: {text}" for name, text in zip(names, both, strict=True)))
    return said


def _heats(a: Board, b: Board) -> list[Link]:
    """What an atom of either, or of what lies between, lights up on both, and the signed difference."""
    links: list[Link] = []
    for one in a.links:
        if not isinstance(one, Heat):
            continue
        ends = (one.source, one.target)
        other = next((link for link in b.links if (link.source, link.target) == ends), None)
        if not isinstance(other, Heat):  # there is nothing to compare with
            continue
        source = a[one.source]
        asked = a.trail and one.source in a.trail.lists and _same_units(a, b, one.source)
        if isinstance(source, Units) and not (asked or _comparable(source)):
            # The units of one are not the other's.
            links += [_renamed(one, FIRST), _renamed(other, SECOND)]
            continue
        both = one.of if one.of is None or other.of is None else sorted({*one.of} & {*other.of})
        between = dataclasses.replace(one, weights=one.weights - other.weights, scale=None, of=both)
        if one.law:
            between = dataclasses.replace(between, law=f"{one.law}, difference")
        links += [
            dataclasses.replace(link, source=side + one.source, target=target + one.target)
            for side in ((FIRST, SECOND) if asked else (FIRST, SECOND, BETWEEN))
            for target, link in ((FIRST, one), (SECOND, other), (BETWEEN, between))
        ]
    return links


def _asked_of_both(a: Board, b: Board) -> list[Link]:
    """What units of a list say on the other board, where the lists of a trail have the same units."""
    links: list[Link] = []
    for board, here, there in ((a, FIRST, SECOND), (b, SECOND, FIRST)):
        for link in board.links:
            same = board.trail and link.source in board.trail.lists and _same_units(a, b, link.source)
            if same and isinstance(link, Ranking):
                links.append(dataclasses.replace(link, source=there + link.source, target=here + link.target))
    return links


def _same_units(a: Board, b: Board, name: str) -> bool:
    p, q = a[name], b[name]
    return isinstance(p, Units) and isinstance(q, Units) and list(p.labels) == list(q.labels)


def _both_trails(a: Board, b: Board) -> Trail | None:
    """One question between the lists of both boards."""
    if not a.trail or not b.trail:
        return None
    start, atom = a.trail.start
    lists = [side + name for side, trail in ((FIRST, a.trail), (SECOND, b.trail)) for name in trail.lists]
    return Trail(lists, (FIRST + start, atom))


def _table(ranking: Ranking, units: int) -> np.ndarray:
    """A ranking as values (atoms, units); NaN where a unit is not ranked."""
    table = np.full((len(ranking.atoms), units), np.nan, np.float32)
    np.put_along_axis(table, ranking.atoms.astype(np.int64), ranking.values, axis=1)
    return table


def _compared(name: str, a: Board, b: Board) -> list[tuple[Ranking, Ranking]]:
    """The rankings of a grid's cells on both boards, of all lists that can be compared."""
    found = []
    for link in a.links:
        if isinstance(link, Ranking) and link.source == name and _comparable(a[link.target]):
            other = next((m for m in b.links if (m.source, m.target) == (name, link.target)), None)
            if isinstance(other, Ranking):
                found.append((link, other))
    return found


def _between(
    p: Grid, q: Grid, a: Board, b: Board, seen: Sequence[tuple[np.ndarray, np.ndarray]]
) -> tuple[Grid, list[Link]]:
    """What lies between two grids, and the rankings that a selection in any of the three decides."""
    found = _compared(p.name, a, b)
    links: list[Link] = [
        dataclasses.replace(link, source=other + p.name, target=side + link.target)
        for side, board in ((FIRST, a), (SECOND, b))
        for link in board.links
        if isinstance(link, Ranking) and link.source == p.name
        for other in (FIRST, SECOND, BETWEEN)
        if other != side
    ]
    turned = None
    for both in found:
        target = both[0].target
        tables = [_table(link, len(a[target])) for link in both]
        atoms, values = _by_magnitude(tables[0] - tables[1])
        links += [
            Ranking(side + p.name, BETWEEN + target, atoms, values) for side in (FIRST, SECOND, BETWEEN)
        ]
        turned = turned or _turned(p, *tables)
    if turned is None:
        turned = _difference_of_tiles(p, q) if p.tiled else _difference_of_pictures(p, q, seen)
    return turned, links


def _by_magnitude(difference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Differences ranked by magnitude, row by row; what is not known of a row comes in none."""
    known = int((~np.isnan(difference)).sum(1).min(initial=difference.shape[1]))
    size = np.nan_to_num(np.abs(difference), nan=-1.0)
    atoms = np.argsort(-size, axis=1, kind="stable")[:, :known].astype(np.int32)
    return atoms, np.take_along_axis(difference, atoms, axis=1)


def _turned(grid: Grid, a: np.ndarray, b: np.ndarray) -> Grid:
    """A grid of 1 - cosine between the two values of each cell, over the first picture."""
    both = ~np.isnan(a) & ~np.isnan(b)
    a, b = np.where(both, a, 0), np.where(both, b, 0)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosine = np.where(lengths > 0, (a * b).sum(1) / np.maximum(lengths, 1e-12), 1.0)
    turned = np.clip(1 - cosine, 0, 2).astype(np.float32)
    return Grid(
        BETWEEN + grid.name,
        f"{grid.title}, how far it turned",
        grid.picture,
        grid.rows,
        grid.cols,
        start=None,
        scene=grid.scene,
        values=turned,
        law=f"1 \u2212 cosine, clear at {turned.max(initial=0):.2f}",
        between=True,
    )


def _difference_of_pictures(p: Grid, q: Grid, seen: Sequence[tuple[np.ndarray, np.ndarray]]) -> Grid:
    """A grid over the signed difference of two pictures, grey where they agree."""
    one, two = (
        next((levels for picture, levels in seen if picture is grid.picture), grid.picture / np.float32(255))
        for grid in (p, q)
    )
    if one.shape != two.shape:
        shown = Image.fromarray(q.picture).resize((one.shape[1], one.shape[0]))
        two = np.asarray(shown, np.float32) / 255
    difference = one - two
    most = max(float(np.abs(difference).max(initial=0)), LEAST_CHANGE)
    pixels = np.round(127.5 + 127.5 * difference / most).astype(np.uint8)
    return Grid(
        BETWEEN + p.name,
        f"{p.title}, difference",
        pixels,
        p.rows,
        p.cols,
        start=None,
        scene=p.scene,
        law=f"grey is 0, white +{most:.3f}",
        between=True,
    )


def _difference_of_tiles(p: Grid, q: Grid) -> Grid:
    """A grid of the differences of cells' pictures, as far as they are there already."""
    found = tile_differences(p, q)
    tile_of = np.full(len(p), -1, np.int32)
    tile_of[list(found)] = np.arange(len(found))
    return Grid(
        BETWEEN + p.name,
        f"{p.title}, difference",
        np.full((p.rows, p.cols, 3), 127, np.uint8),
        p.rows,
        p.cols,
        start=None,
        scene=p.scene,
        tiled=True,
        tiles=np.stack(list(found.values())) if found else None,
        tile_of=tile_of if found else None,
        law="grey is 0, white +1",
        between=True,
    )


def tile_differences(p: Grid, q: Grid) -> dict[int, np.ndarray]:
    """The signed differences of two grids' tiles: {cell that has one in both: uint8}, grey 0, white +1."""
    if p.tiles is None or q.tiles is None or p.tile_of is None or q.tile_of is None:
        return {}
    if p.tiles.shape[1:] != q.tiles.shape[1:]:  # of one there are only sketches yet
        return {}
    cells = np.flatnonzero((p.tile_of >= 0) & (q.tile_of >= 0))
    first, second = p.tiles[p.tile_of[cells]], q.tiles[q.tile_of[cells]]
    pixels = np.round((255 + first.astype(np.float32) - second) / 2).astype(np.uint8)
    return dict(zip(cells.tolist(), pixels, strict=True))


def _difference(p: Units, q: Units, a: Board, b: Board) -> Units:
    """A list of units by how much they differ: for the selection, or as the two lists stand."""
    values, largest = None, 0.0
    if p.values is not None and q.values is not None:
        values = p.values - q.values
        largest = float(np.abs(values).max(initial=0))
    for link in a.links:
        other = next((m for m in b.links if (m.source, m.target) == (link.source, link.target)), None)
        of_cells = isinstance(a[link.source], Grid) and link.target == p.name
        if of_cells and isinstance(link, Ranking) and isinstance(other, Ranking):
            change = _table(link, len(p)) - _table(other, len(p))
            largest = max(largest, float(np.nanmax(np.abs(change), initial=0)))
    return dataclasses.replace(
        p,
        name=BETWEEN + p.name,
        title=f"{p.title}, difference",
        values=values,
        most=p.shown,
        scale=largest or p.scale,
    )


def _caption(selected: str, name: str, a: Board, different: Collection[str], names: tuple[str, str]) -> str:
    """What a pair says of a selected cell: what leads in either, and what differs most.

    Of the lists that are `different`, one that the cell's grid fills is spoken of first.
    """
    rankings = [link for link in a.links if isinstance(link, Ranking) and link.target in different]
    own = [link for link in rankings if link.source == name]
    if not rankings:
        return ""
    target = (own or rankings)[0].target
    one, two, between = (f"{{{side}{target}" for side in (FIRST, SECOND, BETWEEN))
    return (
        f"At {{{selected}}}, {names[0]} is mostly {one}.1}} ({one}.1.value}}), {names[1]} {two}.1}} "
        f"({two}.1.value}}). Most different is {between}.1}} ({between}.1.value}})."
    )
