"""How large a picture may be, and how it is reduced: in bands of rows, never held twice at full size."""

from collections.abc import Callable, Iterator, Sequence

from PIL import Image

LONGEST_SIDE = 1024  # larger pictures are reduced to it: enough to zoom into, small enough to keep
SHORTEST_SIDE = 256  # what a long picture keeps of its other side: networks see the square at its centre
SMALLEST_SIDE = 16
REDUCING_GAP = 3  # pixels are averaged down to this many times the final size, and then resampled
BAND_PIXELS = 1 << 18

Size = tuple[int, int]
"""(width, height) in pixels, as Pillow has it."""


def check_size(name: str, size: Size, decoding: float, max_bytes: float) -> None:
    """Refuse a picture that is too small to see, or that would take too much memory.

    Args:
        name: what to call it in an error.
        size: of the whole.
        decoding: bytes that it takes until it is reduced.
        max_bytes: how many it may take, the result included.

    Raises:
        ValueError: one sentence that says so, and how to allow more.
    """
    width, height = size
    if min(size) < SMALLEST_SIDE:
        raise ValueError(
            f"{name} is {width} x {height} pixels; expected at least {SMALLEST_SIDE} x {SMALLEST_SIDE}."
        )
    across, down = target_size(size)
    rows = -(-height // _factors(size)[1])
    needed = decoding + 12 * across * (rows + 2 * down)  # RGB in float32: `reduced` in one direction, in both
    if needed > max_bytes:
        enough = int(-(-needed // 10**8) * 10**8)
        raise ValueError(
            f"{name} is {width} x {height} pixels and would take about {needed / 1e6:,.0f} MB of memory; "
            f"expected at most {max_bytes / 1e6:,.0f} MB: scale it down first, or allow more with "
            f"load_image(..., max_bytes={enough:_})."
        )


def target_size(size: Size) -> Size:
    """Return what a picture of `size` is reduced to."""
    scale = min(1, max(LONGEST_SIDE / max(size), SHORTEST_SIDE / min(size)))
    return round(size[0] * scale), round(size[1] * scale)


def _factors(size: Size) -> tuple[int, int]:
    """Return of how many pixels the average is taken before resampling, across and down."""
    across, down = (int(side / new / REDUCING_GAP) for side, new in zip(size, target_size(size), strict=True))
    return max(1, across), max(1, down)


def bands(size: Size, whole: int = 1) -> Iterator[tuple[int, int]]:
    """Yield (top, bottom) of bands of rows, each a multiple of `whole` high but for the last."""
    width, height = size
    step = max(1, BAND_PIXELS // (width * whole)) * whole
    for top in range(0, height, step):
        yield top, min(top + step, height)


def reduced(size: Size, rows: Callable[[int, int], Sequence[Image.Image]]) -> list[Image.Image]:
    """Return a picture at its `target_size`, resampled from bands of rows as if from the whole.

    Resampling goes across first and then down, so that each band is narrow before the next is read.

    Args:
        size: of the whole.
        rows: (top, bottom) -> those rows: one image of mode "RGB", or one of mode "F" a channel.
    """
    target = target_size(size)
    if target == size:
        return list(rows(0, size[1]))
    across, down = _factors(size)
    narrow: list[Image.Image] = []
    for top, bottom in bands(size, down):
        for i, band in enumerate(rows(top, bottom)):
            if top == 0:
                narrow.append(Image.new(band.mode, (target[0], -(-size[1] // down))))
            small = band.reduce((across, down))
            box = (0, 0, size[0] / across, small.height)
            small = small.resize((target[0], small.height), Image.Resampling.BICUBIC, box)
            narrow[i].paste(small, (0, top // down))
    whole = (0, 0, target[0], size[1] / down)
    return [image.resize(target, Image.Resampling.BICUBIC, whole) for image in narrow]
