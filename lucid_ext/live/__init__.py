"""What every interface does in a notebook: choose, compute, stream, stand in pairs."""

from lucid_ext.live.interface import Interface
from lucid_ext.live.pair import Pair

__all__ = ["Interface", "Pair"]
