"""Attribution: who influenced whom between two layers, and how far each answer can be believed."""

from lucid_ext.attribution.attribute import Attribution, attribute, between, compare, explain, from_layers
from lucid_ext.attribution.problem import Problem
from lucid_ext.attribution.registry import METHODS, Method, Methods, method
from lucid_ext.attribution.survey import LayerSurvey, survey
from lucid_ext.attribution.targets import find_class
from lucid_ext.attribution.trust import Agreement, Trust, agree

__all__ = [
    "METHODS",
    "Agreement",
    "Attribution",
    "LayerSurvey",
    "Method",
    "Methods",
    "Problem",
    "Trust",
    "agree",
    "attribute",
    "between",
    "compare",
    "explain",
    "find_class",
    "from_layers",
    "method",
    "survey",
]
