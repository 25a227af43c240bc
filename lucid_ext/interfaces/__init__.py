"""The interfaces: each computes its contents, makes a Board of them and shows it."""

from lucid_ext.interfaces.activation_grid import ActivationGrid
from lucid_ext.interfaces.channel_attribution import ChannelAttribution
from lucid_ext.interfaces.concept_cards import Concepts, concepts
from lucid_ext.interfaces.group_flow import GroupFlow
from lucid_ext.interfaces.icon_report import IconReport, icon_report
from lucid_ext.interfaces.method_comparison import MethodComparison
from lucid_ext.interfaces.neuron_groups import NeuronGroups
from lucid_ext.interfaces.semantic_dictionary import SemanticDictionary
from lucid_ext.interfaces.spatial_attribution import SpatialAttribution
from lucid_ext.live.interface import Interface
from lucid_ext.live.pair import Pair

__all__ = [
    "ActivationGrid",
    "ChannelAttribution",
    "Concepts",
    "GroupFlow",
    "IconReport",
    "Interface",
    "MethodComparison",
    "NeuronGroups",
    "Pair",
    "SemanticDictionary",
    "SpatialAttribution",
    "concepts",
    "icon_report",
]
