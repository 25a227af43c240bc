"""What photographs do to the units of a layer: how far each drives them, and where."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from lucid_ext.models.photographs import Photographs
from lucid_ext.models.vision_model import VisionModel

AT_ONCE = 16  # photographs in one forward pass
PATCH_SIDE = 80  # pixels, of patches as they are shown


@dataclasses.dataclass(frozen=True, eq=False)
class Patch:
    """The part of a photograph that drives a unit most.

    Attributes:
        photograph: its name.
        pixels: uint8 (PATCH_SIDE, PATCH_SIDE, 3).
        drive: the unit's activation there, the largest in this photograph.
        cell: (row, column) of the layer where that is.
        place: (down, across), from 0 to 1, where in the patch the middle of that cell is.
    """

    photograph: str
    pixels: np.ndarray
    drive: float
    cell: tuple[int, int]
    place: tuple[float, float]


@dataclasses.dataclass(frozen=True, eq=False)
class Survey:
    """A layer's units over many photographs.

    Attributes:
        model: the network.
        layer: the layer.
        photographs: what was looked at.
        used: (n,) which of them: all but those that could not be read.
        maxima: (n, c) float32, the largest activation of every channel in each of those, whatever cap
            the layer has.
        cells: (n, c) int32, the cell where that is, counted row by row.
    """

    model: VisionModel
    layer: str
    photographs: Photographs
    used: np.ndarray
    maxima: np.ndarray
    cells: np.ndarray

    def percentile(self, unit: int, drive: float) -> float:
        """The share of photographs whose largest activation of a unit is below `drive`, in [0, 1]."""
        return float(np.mean(self.maxima[:, unit] < drive))

    def strongest(self, unit: int, count: int) -> list[int]:
        """The photographs (rows of `maxima`) that drive a unit most, falling.

        Of several crops of one picture only the strongest counts.
        """
        found: dict[str, int] = {}
        for row in np.argsort(-self.maxima[:, unit], kind="stable"):
            found.setdefault(self.photographs.origins[self.used[row]], int(row))
            if len(found) == count:
                break
        return list(found.values())

    def patches(
        self, units: Sequence[int], count: int = 4, progress: bool = True, most: float = 1.0
    ) -> list[list[Patch]]:
        """For each unit, the parts of photographs that drive it most: one of each, falling.

        A patch is what the strongest cell can see, its receptive field: a window of that size
        around the cell's place in the picture, moved inside where it would reach beyond the edge.

        Args:
            units: channels.
            count: how many patches of each; fewer come back where there are fewer photographs.
            progress: show a progress bar.
            most: the part of a photograph's sides that a window takes at most. Deep in a network a
                cell can see all of it, and answers mostly to what lies around its place.
        """
        wanted: dict[int, list[tuple[int, int]]] = {}  # photograph: [(position in units, rank)]
        rows = [self.strongest(unit, count) for unit in units]
        for i, strongest in enumerate(rows):
            for rank, row in enumerate(strongest):
                wanted.setdefault(row, []).append((i, rank))
        found: dict[tuple[int, int], Patch] = {}
        bar = tqdm(sorted(wanted), desc=f"patches for {self.layer}", unit="image", disable=not progress)
        for row in bar:
            photograph = int(self.used[row])
            image = self.model.crop(self.photographs[photograph])
            for i, rank in wanted[row]:
                cell = divmod(int(self.cells[row, units[i]]), self.model.layers[self.layer][1])
                window, place = self.window(cell, image.shape[:2], most)
                drive = float(self.maxima[row, units[i]])
                name = self.photographs.names[photograph]
                found[i, rank] = Patch(name, _square(image[window]), drive, cell, place)
        return [[found[i, rank] for rank in range(len(strongest))] for i, strongest in enumerate(rows)]

    def window(
        self, cell: tuple[int, int], size: tuple[int, int], most: float = 1.0
    ) -> tuple[tuple[slice, slice], tuple[float, float]]:
        """What a cell can see of an image of `size` (height, width) that fills the network's input.

        No more than the part `most` of its sides.

        Returns:
            The window (rows, columns) of the image, and where in it the middle of the cell is:
            (down, across), from 0 to 1.
        """
        rows, cols, _ = self.model.layers[self.layer]
        field = self.model.layers.receptive_fields[self.layer]
        slices, place = [], []
        for at, cells, seen, own, whole in zip(cell, (rows, cols), field, self.model.size, size, strict=True):
            middle = (at + 0.5) / cells * whole
            side = max(1, round(min(seen / own, most) * whole))
            start = min(max(round(middle - side / 2), 0), whole - side)
            slices.append(slice(start, start + side))
            place.append((middle - start) / side)
        return (slices[0], slices[1]), (place[0], place[1])


def _square(window: np.ndarray) -> np.ndarray:
    """Part of a photograph at the size it is shown at; what is no square lies on grey."""
    pixels = Image.fromarray(np.round(window * 255).astype(np.uint8))
    scale = PATCH_SIDE / max(pixels.size)
    width, height = (max(1, round(side * scale)) for side in pixels.size)
    canvas = Image.new("RGB", (PATCH_SIDE, PATCH_SIDE), (128, 128, 128))
    pixels = pixels.resize((width, height), Image.Resampling.BICUBIC)
    canvas.paste(pixels, ((PATCH_SIDE - width) // 2, (PATCH_SIDE - height) // 2))
    return np.asarray(canvas)


def survey_photographs(
    model: VisionModel, layers: Sequence[str], photographs: Photographs, progress: bool = True
) -> dict[str, Survey]:
    """Show photographs to the network, a few at a time, and keep where each drives each channel most.

    Memory: 8 bytes per photograph and channel, and `AT_ONCE` photographs.

    Args:
        model: the network.
        layers: layers with positions; all are read in one pass.
        photographs: what to show; those that cannot be read are left out, and named in a warning.
        progress: show a progress bar.

    Returns:
        {layer: its survey}.

    Raises:
        ValueError: a layer has no positions, or no photograph can be used.
    """
    for layer in layers:
        model.check_spatial(layer)
    run = model.function("input", [model.uncapped(layer) for layer in layers])
    maxima: dict[str, list[np.ndarray]] = {layer: [] for layer in layers}
    cells: dict[str, list[np.ndarray]] = {layer: [] for layer in layers}
    used: list[int] = []
    for numbers, batch in photographs.batches(model.prepare, AT_ONCE, progress):
        used += numbers
        for layer, acts in zip(layers, run(batch), strict=True):
            flat = acts.numpy().reshape(len(batch), -1, acts.shape[-1])
            cells[layer].append(flat.argmax(1).astype(np.int32))
            maxima[layer].append(flat.max(1))
    return {
        layer: Survey(
            model,
            layer,
            photographs,
            np.array(used, np.int32),
            np.concatenate(maxima[layer]),
            np.concatenate(cells[layer]),
        )
        for layer in layers
    }
