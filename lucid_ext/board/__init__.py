"""The grammar of interfaces, as data: panels show atoms, links say what selecting one does to another."""

from lucid_ext.board.board import Board
from lucid_ext.board.captions import literal
from lucid_ext.board.drilldown import Trail
from lucid_ext.board.links import Dials, Heat, Link, Mixture, Ranking
from lucid_ext.board.panels import Cards, Fact, Flow, Grid, Mark, Panel, Units
from lucid_ext.board.reading import Selection, format_value

__all__ = [
    "Board",
    "Cards",
    "Dials",
    "Fact",
    "Flow",
    "Grid",
    "Heat",
    "Link",
    "Mark",
    "Mixture",
    "Panel",
    "Ranking",
    "Selection",
    "Trail",
    "Units",
    "format_value",
    "literal",
]
