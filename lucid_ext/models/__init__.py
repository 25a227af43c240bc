"""Networks: a frozen graph and its layers, where weights come from, and images in."""

from lucid_ext.models.adversarial import adversarial
from lucid_ext.models.images import load_image
from lucid_ext.models.load import load_model
from lucid_ext.models.lucid_model import from_lucid, to_lucid
from lucid_ext.models.photographs import Photographs
from lucid_ext.models.samples import SAMPLES
from lucid_ext.models.vision_model import VisionModel

__all__ = [
    "SAMPLES",
    "Photographs",
    "VisionModel",
    "adversarial",
    "from_lucid",
    "load_image",
    "load_model",
    "to_lucid",
]
