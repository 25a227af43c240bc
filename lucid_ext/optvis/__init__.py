"""Feature visualization: what a unit, a direction or any objective responds to, as a picture."""

from lucid_ext.optvis.ascent import evaluate
from lucid_ext.optvis.caricature import caricature
from lucid_ext.optvis.diverse import diverse_icons
from lucid_ext.optvis.grids import GridQuality, GridRecipe, dead_cells, grid_quality, stream_tiles
from lucid_ext.optvis.icon import (
    BATCH,
    batch_size,
    icons,
    stream_directions,
    stream_units,
)
from lucid_ext.optvis.parallel import render_sheet
from lucid_ext.optvis.recipe import NATURAL, Recipe
from lucid_ext.optvis.recipes import CHANNEL, SKETCH, recipe_of
from lucid_ext.optvis.render import render_vis
from lucid_ext.optvis.report import Report, gather
from lucid_ext.optvis.shipped import shipped_sheet
from lucid_ext.optvis.store import Icon, IconStore
from lucid_ext.optvis.survey import Survey, survey_photographs
from lucid_ext.optvis.transform import STANDARD, Transform

__all__ = [
    "BATCH",
    "CHANNEL",
    "NATURAL",
    "SKETCH",
    "STANDARD",
    "GridQuality",
    "GridRecipe",
    "Icon",
    "IconStore",
    "Recipe",
    "Report",
    "Survey",
    "Transform",
    "batch_size",
    "caricature",
    "dead_cells",
    "diverse_icons",
    "evaluate",
    "gather",
    "grid_quality",
    "icons",
    "recipe_of",
    "render_sheet",
    "render_vis",
    "shipped_sheet",
    "stream_directions",
    "stream_tiles",
    "stream_units",
    "survey_photographs",
]
