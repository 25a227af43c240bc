"""Feature visualization: what a unit, a direction or any objective responds to, as a picture."""

from lucid_ext.optvis.ascent import Recipe, evaluate
from lucid_ext.optvis.caricature import caricature
from lucid_ext.optvis.grids import GridQuality, GridRecipe, dead_cells, grid_quality, stream_tiles
from lucid_ext.optvis.icon import BATCH, CHANNEL, SKETCH, icons, stream_directions, stream_units
from lucid_ext.optvis.render import render_vis
from lucid_ext.optvis.sheets import shipped_sheet
from lucid_ext.optvis.store import Icon, IconStore
from lucid_ext.optvis.transform import STANDARD, Transform

__all__ = [
    "BATCH",
    "CHANNEL",
    "SKETCH",
    "STANDARD",
    "GridQuality",
    "GridRecipe",
    "Icon",
    "IconStore",
    "Recipe",
    "Transform",
    "caricature",
    "dead_cells",
    "evaluate",
    "grid_quality",
    "icons",
    "render_vis",
    "shipped_sheet",
    "stream_directions",
    "stream_tiles",
    "stream_units",
]
