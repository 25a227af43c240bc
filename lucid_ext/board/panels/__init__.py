"""Panels, what a board shows: the registry of their kinds."""

from lucid_ext.board.panels.base import Panel
from lucid_ext.board.panels.cards import Cards, Fact
from lucid_ext.board.panels.flow import Flow
from lucid_ext.board.panels.grid import Grid, Mark
from lucid_ext.board.panels.units import Units

PANELS: dict[str, type[Panel]] = {kind.__name__: kind for kind in (Grid, Units, Cards, Flow)}
"""By the names that saved boards know them by."""

PARTS = {kind.__name__: kind for kind in (Mark, Fact)}
"""What is in them, beside arrays and texts."""

__all__ = ["PANELS", "PARTS", "Cards", "Fact", "Flow", "Grid", "Mark", "Panel", "Units"]
