"""Sample pictures, from packages that are installed anyway."""

import dataclasses
import importlib.util
from pathlib import Path

from PIL import Image


@dataclasses.dataclass(frozen=True)
class Sample:
    """A picture that is at hand without a network.

    Attributes:
        about: what it shows.
        known: whether the embedded network was trained on a class for it.
    """

    about: str
    known: bool


SAMPLES = {
    "cat_coffee": Sample("the cat above the cup: two objects in one picture", True),
    "cat": Sample("a tabby cat's face (scikit-image's chelsea)", True),
    "coffee": Sample("a cup of espresso on a table (scikit-image)", True),
    "rocket": Sample("a rocket being launched (scikit-image)", False),
    "flower": Sample("a dahlia (scikit-learn)", False),
    "temple": Sample("a Chinese temple among trees (scikit-learn's china)", False),
    "astronaut": Sample("a portrait of an astronaut (scikit-image)", False),
}
"""What `load_image` knows by name."""

FILES = {
    "cat": ("skimage.data", "chelsea.png"),
    "coffee": ("skimage.data", "coffee.png"),
    "rocket": ("skimage.data", "rocket.jpg"),
    "astronaut": ("skimage.data", "astronaut.png"),
    "flower": ("sklearn.datasets", "images/flower.jpg"),
    "temple": ("sklearn.datasets", "images/china.jpg"),
}


def open_sample(name: str) -> Image.Image:
    """Return the sample of this name.

    Raises:
        ValueError: its package is not installed, or has it no more.
    """
    if name == "cat_coffee":
        return _cat_and_coffee()
    package, file = FILES[name]
    root, *rest = package.split(".")
    spec = importlib.util.find_spec(root)  # finds the files without importing the package
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"the sample {name!r} needs the package {root}, which is not installed.")
    try:
        with Image.open(Path(spec.submodule_search_locations[0], *rest, file)) as picture:
            return picture.convert("RGB")
    except OSError as error:
        raise ValueError(f"the sample {name!r} cannot be read from {root}: install {root} anew.") from error


def _cat_and_coffee() -> Image.Image:
    side = 448
    both = Image.new("RGB", (side, side))
    for name, box, top in (("cat", (0, 30, 451, 255), 0), ("coffee", (0, 50, 600, 350), side // 2)):
        half = open_sample(name).resize((side, side // 2), Image.Resampling.BICUBIC, box)
        both.paste(half, (0, top))
    return both
