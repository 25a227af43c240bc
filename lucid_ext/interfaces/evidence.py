"""Honest icons: each beside the photographs that drive its channel most, and icons of other starts."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from lucid_ext.board import Board, Grid, Ranking, Units, literal
from lucid_ext.interfaces.interface import PICTURE_SIDE, Interface
from lucid_ext.models import VisionModel
from lucid_ext.optvis import Report, gather
from lucid_ext.optvis.sheets import rounded_down
from lucid_ext.optvis.survey import Patch
from lucid_ext.tiles import pack

ACCENT, WHITE = (240, 110, 20), (255, 255, 255)
MARK = 0.14  # of a patch's side: the square around the strongest cell
NAMED = 8  # icons that have a button of their own

READING = (
    "Pick an icon: beside it stand the parts of real photographs that drive its channel most, all on one "
    "scale with the icon itself, icons that began from other noise, and icons made to differ. An orange "
    "square marks the cell that answered."
)
FORMULA = (
    r"\text{percentile} = \frac{1}{n} \left|\left\{ i : \max_{y,x} f_c(p_i)_{y,x} < "
    r"\max_{y,x} f_c(x^{*})_{y,x} \right\}\right| \qquad "
    r"\text{agreement} = \frac{\langle m(a), m(b) \rangle}{\|m(a)\|\, \|m(b)\|}, \quad "
    r"m(x) = \text{mean}_{y,x}\, f_{\ne c}(x)_{y,x}"
)


class IconReport(Interface):
    """A sheet of icons, and for each what speaks for and against it.

    Attributes:
        report: the same as numbers.
    """

    def __init__(self, model: VisionModel, report: Report):
        """Show a report; `icon_report` makes both at once."""
        self.report = report
        super().__init__(model, None, {"layer": [report.layer]}, {"layer": report.layer})

    def make_board(self, choice: Mapping[str, str]) -> Board:
        """The sheet of icons as a grid; lists that the selected icon fills."""
        found = self.report
        names = [f"{found.layer}:{e.unit}" for e in found.units]
        shares = [rounded_down(e.percentile) for e in found.units]
        sheet, rows, cols = _sheet(np.stack([e.icon for e in found.units]))
        of = [min(i, len(names) - 1) for i in range(rows * cols)]  # a tile left empty repeats the last
        about, left_out = found.survey.photographs.about, found.survey.photographs.remark
        icons = Grid(
            "icons",
            f"Icons of {found.layer}",
            sheet,
            rows,
            cols,
            places={name: i for i, name in enumerate(names)} if len(names) <= NAMED else {},
            note=left_out,
        )
        unit = Units(
            "unit",
            f"Above this share of {about}",
            names,
            values=None,
            **pictures([e.icon for e in found.units]),
            format="percent",
            shown=1,
            most=1,
            large=True,
        )
        panels: list[Any] = [icons, unit]
        own = np.array(of, np.int32)[:, None]
        links = [Ranking("icons", "unit", own, np.array(shares, np.float32)[own])]
        scale = max(max(e.drive, *(p.drive for p in e.patches), *e.diverse_drive) for e in found.units)

        def add(
            name: str,
            title: str,
            per_unit: Sequence[Sequence[tuple[str, np.ndarray | None, float]]],
            **how: Any,
        ) -> None:
            """A list with the same number of rows for each unit, strongest first."""
            ordered = [sorted(rows, key=lambda row: -row[2]) for rows in per_unit]
            flat = [row for rows in ordered for row in rows]
            count = len(ordered[0])
            panels.append(
                Units(
                    name,
                    title,
                    [r[0] for r in flat],
                    **pictures([r[1] for r in flat]),
                    shown=count,
                    most=count,
                    **how,
                )
            )
            atoms = np.arange(len(flat), dtype=np.int32).reshape(-1, count)[of]
            values = np.array([r[2] for r in flat], np.float32)
            links.append(Ranking("icons", name, atoms, values[atoms]))

        add(
            "patches",
            "Icon and photographs",
            [
                [("the icon", e.icon, e.drive), *((p.photograph, marked(p), p.drive) for p in e.patches)]
                for e in found.units
            ],
            scale=scale or 1.0,
        )
        if found.seeds:
            add(
                "seeds",
                "Other starts agree by",
                [
                    [
                        (f"seed {s}", x, float(a))
                        for s, x, a in zip(found.seeds, e.others, e.agreement, strict=True)
                    ]
                    + [("icons of other channels", None, e.chance)]
                    for e in found.units
                ],
            )
        if len(found.units[0].diverse):
            add(
                "diverse",
                "Made to differ",
                [
                    [
                        (f"icon {i}", x, float(d))
                        for i, (x, d) in enumerate(zip(e.diverse, e.diverse_drive, strict=True))
                    ]
                    for e in found.units
                ],
                scale=scale or 1.0,
            )
        return Board(
            title=f"Icons of {found.layer}, and what speaks for them",
            reading=READING,
            panels=panels,
            links=links,
            formula=FORMULA,
            caption=(
                f"The icon of {{unit.1}} drives its channel more than {{unit.1.value}} of {literal(about)} "
                "do. "
                "What drives it most of all shown is {patches.1} ({patches.1.value}), "
                "then {patches.2} ({patches.2.value})."
            ),
            choice=choice,
        )


def icon_report(
    model: VisionModel, layer: str, units: Sequence[int], images: Any = None, **options: Any
) -> IconReport:
    """Show how far icons can be believed.

    Args:
        model: the network.
        layer: a layer with positions.
        units: channels.
        images: photographs to compare with: a folder, or a sequence of anything `load_image` takes;
            by default a small set of crops of the samples.
        options: those of `lucid_ext.optvis.gather`: seeds, diverse, patches, recipe, store, progress.

    Returns:
        An interface, to be shown or written `to_html`; its `report` holds the numbers.
    """
    return IconReport(model, gather(model, layer, units, images, **options))


def marked(patch: Patch) -> np.ndarray:
    """A patch with a small square around the cell that answered: uint8, of the patch's shape."""
    pixels = patch.pixels.copy()
    side = len(pixels)
    half = max(3, round(MARK * side / 2))
    y, x = (round(np.clip(at * side, half + 2, side - half - 3)) for at in patch.place)
    for reach, colour in ((half + 2, WHITE), (half + 1, ACCENT), (half, ACCENT)):
        pixels[y - reach : y + reach + 1, x - reach : x + reach + 1] = colour
    inside = slice(y - half + 1, y + half), slice(x - half + 1, x + half)
    pixels[inside] = patch.pixels[inside]
    return pixels


def pictures(icons: Sequence[np.ndarray | None]) -> dict[str, Any]:
    """One icon per unit of a list, or None; all as large as the largest."""
    side = max((len(icon) for icon in icons if icon is not None), default=1)
    stacked = [resized(icon, side) for icon in icons if icon is not None]
    icon_of = np.full(len(icons), -1, np.int32)
    icon_of[[i for i, icon in enumerate(icons) if icon is not None]] = np.arange(len(stacked))
    return {"icons": np.stack(stacked), "icon_of": icon_of, "illustrated": True}


def resized(icon: np.ndarray, side: int) -> np.ndarray:
    """An icon at another size: uint8 (side, side, 3)."""
    if len(icon) == side:
        return icon
    return np.asarray(Image.fromarray(icon).resize((side, side), Image.Resampling.BICUBIC))


def _sheet(icons: np.ndarray) -> tuple[np.ndarray, int, int]:
    """Icons side by side, as one picture: it, and its rows and columns."""
    _, cols = pack(icons)
    rows = math.ceil(len(icons) / cols)
    side = max(icons.shape[1], math.ceil(PICTURE_SIDE / max(rows, cols)))
    sheet, cols = pack(np.stack([resized(icon, side) for icon in icons]))
    return sheet, rows, cols
