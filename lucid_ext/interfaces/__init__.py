"""The interfaces: each computes its contents, makes a Board of them and shows it."""

from lucid_ext.interfaces.activation_grid import ActivationGrid
from lucid_ext.interfaces.evidence import IconReport, icon_report
from lucid_ext.interfaces.interface import Interface
from lucid_ext.interfaces.method_comparison import MethodComparison
from lucid_ext.interfaces.pair import Pair
from lucid_ext.interfaces.semantic_dictionary import SemanticDictionary
from lucid_ext.interfaces.spatial_attribution import SpatialAttribution

__all__ = [
    "ActivationGrid",
    "IconReport",
    "Interface",
    "MethodComparison",
    "Pair",
    "SemanticDictionary",
    "SpatialAttribution",
    "icon_report",
]
