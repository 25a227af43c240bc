"""The interfaces: each computes its contents, makes a Board of them and shows it."""

from lucid_ext.interfaces.evidence import IconReport, icon_report
from lucid_ext.interfaces.interface import Interface
from lucid_ext.interfaces.semantic_dictionary import SemanticDictionary

__all__ = ["IconReport", "Interface", "SemanticDictionary", "icon_report"]
