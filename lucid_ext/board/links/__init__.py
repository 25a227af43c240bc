"""Links, what selecting an atom of one panel does to another: the registry of their kinds."""

from lucid_ext.board.links.base import Link
from lucid_ext.board.links.dials import Dials
from lucid_ext.board.links.heat import Heat
from lucid_ext.board.links.mixture import Mixture
from lucid_ext.board.links.ranking import Ranking

LINKS: dict[str, type[Link]] = {kind.__name__: kind for kind in (Heat, Ranking, Mixture, Dials)}
"""By the names that saved boards know them by."""

__all__ = ["LINKS", "Dials", "Heat", "Link", "Mixture", "Ranking"]
