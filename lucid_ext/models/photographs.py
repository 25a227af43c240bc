"""Many photographs: those of a folder, of a list, or a small set of crops of the samples."""

import functools
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from lucid_ext.models.images import load_image
from lucid_ext.models.samples import FILES, SAMPLES

CROPS = 3  # a side: of each sample's half-size crops
KINDS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp"}  # of files in a folder
MOST_NAMED = 5  # of the files left out, in the sentence that says so


class Photographs(Sequence[np.ndarray]):
    """Photographs that are read when they are asked for, one at a time.

    Attributes:
        names: what to call each of them.
        origins: the picture each is part of: itself, but for crops.
        left_out: {name: why} of those that turned out unusable while `readable` read them.
    """

    def __init__(self, images: Any = None):
        """Say which photographs; nothing is read yet.

        Args:
            images: a folder, with those in folders inside it; a sequence of anything `load_image`
                takes; or None for ten crops of each photograph that comes along: the largest
                centred square, and nine squares of half its side, three by three.

        Raises:
            ValueError: there is nothing in it, or it is neither.
        """
        self.left_out: dict[str, str] = {}
        self._read: list[Callable[[], np.ndarray]]
        if images is None:
            self._take_crops()
        elif isinstance(images, str | os.PathLike):
            self._take_folder(Path(os.path.expanduser(images)))
        else:
            self._take_list(images)

    def __len__(self) -> int:
        """How many there are, unusable ones included."""
        return len(self.names)

    def __getitem__(self, i: Any) -> Any:
        """Photograph `i`: float32 (H, W, 3) in [0, 1]; a ValueError says what is wrong with it."""
        return self._read[i]()

    def readable(self) -> Iterator[tuple[int, np.ndarray]]:
        """(i, photograph i) of all that can be used; at the end, one warning names the others.

        Raises:
            ValueError: not one of them can be used.
        """
        self.left_out = {}
        for i, name in enumerate(self.names):
            try:
                image = self[i]
            except ValueError as error:
                self.left_out[name] = str(error)
            else:
                yield i, image
        if len(self.left_out) == len(self):
            raise ValueError(
                f"none of {len(self):,} {self._kind} can be used; the first: "
                f"{next(iter(self.left_out.values()))}"
            )
        if self.left_out:
            warnings.warn(self.remark, stacklevel=2)

    def batches(
        self, prepare: Callable[[np.ndarray], np.ndarray], most: int, progress: bool = True
    ) -> Iterator[tuple[list[int], np.ndarray]]:
        """Those that can be used, prepared, up to `most` at a time: their numbers, and (n, h, w, 3).

        Args:
            prepare: makes them all of one size.
            most: how many at once.
            progress: show a progress bar.

        Raises:
            ValueError: not one of them can be used.
        """
        numbers: list[int] = []
        batch: list[np.ndarray] = []
        with tqdm(total=len(self), desc="photographs", unit="image", disable=not progress) as bar:
            for i, image in self.readable():
                numbers.append(i)
                batch.append(prepare(image))
                if len(batch) == most:
                    yield numbers, np.stack(batch)
                    numbers, batch = [], []
                bar.update(i + 1 - bar.n)
            if batch:
                yield numbers, np.stack(batch)
            bar.update(len(self) - bar.n)

    @property
    def about(self) -> str:
        """What can be used of them, for a sentence: "812 photographs of flowers"."""
        return f"{len(self) - len(self.left_out):,} {self._kind}"

    @property
    def remark(self) -> str:
        """A sentence on what was left out; empty where nothing was."""
        if not self.left_out:
            return ""
        names = list(self.left_out)[:MOST_NAMED]
        more = f" and {len(self.left_out) - len(names)} more" if len(self.left_out) > len(names) else ""
        return (
            f"{len(self.left_out):,} of {len(self):,} {self._kind} could not be read and were left out: "
            f"{', '.join(names)}{more}."
        )

    def _take_folder(self, folder: Path) -> None:
        if not os.path.isdir(folder):
            raise ValueError(
                f"{folder} is no folder; expected one with photographs in it, or a list of them."
            )
        paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in KINDS]
        paths = [path for path in paths if os.path.isfile(path) and not path.name.startswith(".")]
        if not paths:
            raise ValueError(f"there is no picture in {folder}; expected JPEG, PNG, WebP, GIF or TIFF files.")
        self._keep([str(path.relative_to(folder)) for path in paths], paths)
        self._kind = f"photographs of {folder.resolve().name or folder}"

    def _take_list(self, images: Iterable[Any]) -> None:
        if isinstance(images, bytes) or not isinstance(images, Iterable):
            raise ValueError(f"images is {type(images).__name__}; expected a folder or a list of pictures.")
        images = list(images)
        if not images:
            raise ValueError("the list of photographs is empty; expected at least one.")
        names = [Path(x).name if isinstance(x, str | os.PathLike) else "" for x in images]
        names = [
            name if name and names.count(name) == 1 else f"{name or 'photograph'} ({i})"
            for i, name in enumerate(names)
        ]
        self._keep(names, images)
        self._kind = "photographs"

    def _take_crops(self) -> None:
        places = [(0.0, 0.0, 1.0)] + [
            (row / (CROPS - 1) / 2, col / (CROPS - 1) / 2, 0.5)
            for row in range(CROPS)
            for col in range(CROPS)
        ]
        samples = [name for name in SAMPLES if name in FILES]
        self.names = [name if not i else f"{name}, crop {i}" for name in samples for i in range(len(places))]
        self.origins = [name for name in samples for _ in places]
        self._read = [lambda n=name, p=place: _crop(_sample(n), *p) for name in samples for place in places]  # type: ignore[misc]
        self._kind = f"crops of {len(samples)} sample photographs"

    def _keep(self, names: list[str], sources: Sequence[Any]) -> None:
        self.names, self.origins = names, [f"{i}" for i in range(len(names))]
        self._read = [lambda s=source: load_image(s) for source in sources]  # type: ignore[misc]


@functools.lru_cache(maxsize=1)
def _sample(name: str) -> np.ndarray:
    """A sample, read once for all its crops."""
    return load_image(name)


def _crop(image: np.ndarray, top: float, left: float, side: float) -> np.ndarray:
    """A square of an image; place and side as parts of its largest centred square."""
    height, width = image.shape[:2]
    whole = min(height, width)
    y = (height - whole) // 2 + round(top * whole)
    x = (width - whole) // 2 + round(left * whole)
    return image[y : y + round(side * whole), x : x + round(side * whole)]
