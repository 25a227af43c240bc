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
        says: what the default network says of it: its most probable class, and how probable.
    """

    about: str
    says: str


SAMPLES = {
    "cat_coffee": Sample("the cat above the cup: two objects in one picture", "Egyptian cat 24 %"),
    "cat": Sample("a tabby cat's face (scikit-image's chelsea)", "Egyptian cat 39 %"),
    "coffee": Sample("a cup of espresso on a table (scikit-image)", "espresso 94 %"),
    "camera": Sample("a man with a camera on a tripod, in grey (scikit-image)", "tripod 95 %"),
    "motorcycle": Sample("a motorcycle in a garage (scikit-image's motorcycle_left)", "moped 71 %"),
    "temple": Sample("a Chinese temple among trees (scikit-learn's china)", "palace 30 %"),
    "rocket": Sample("a rocket being launched (scikit-image)", "missile 20 %"),
    "flower": Sample("a dahlia (scikit-learn)", "daisy 23 %"),
    "astronaut": Sample("a portrait of an astronaut (scikit-image)", "bobsled 22 %"),
}
"""What `load_image` knows by name."""

FILES = {
    "cat": ("skimage.data", "chelsea.png"),
    "coffee": ("skimage.data", "coffee.png"),
    "camera": ("skimage.data", "camera.png"),
    "motorcycle": ("skimage.data", "motorcycle_left.png"),
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
