"""Panels, what a board shows: a picture under a grid of cells, a list of units, as cards too, or a flow."""

from lucid_ext.board.panels.cards import Cards, Fact
from lucid_ext.board.panels.flow import Flow
from lucid_ext.board.panels.grid import Grid, Mark
from lucid_ext.board.panels.units import Units

Panel = Grid | Units | Flow

__all__ = ["Cards", "Fact", "Flow", "Grid", "Mark", "Panel", "Units"]
