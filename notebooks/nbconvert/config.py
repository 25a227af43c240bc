"""nbconvert: execute a notebook and keep it as one HTML file that works without a network.

    LUCID_EXT_OFFLINE=1 jupyter nbconvert --config notebooks/nbconvert/config.py \
        --to html --execute notebooks/01_semantic_dictionary.ipynb

No widget state is stored: interfaces embed their own offline page instead. Formulas become MathML.
"""

import os
import re
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import tostring

from nbconvert.preprocessors import Preprocessor

from lucid_ext.widgets.formula import mathml

FORMULA = re.compile(r"\$\$(?P<block>.+?)\$\$|(?<![\\$])\$(?P<inline>[^$\n]+?)\$", re.DOTALL)
BADGE = re.compile(r"^\[!\[.*\n", re.MULTILINE)  # an image from the network


class SelfContained(Preprocessor):
    """Makes TeX in Markdown cells MathML, which browsers draw by themselves, and drops badges."""

    def preprocess_cell(self, cell: Any, resources: dict, index: int) -> tuple[Any, dict]:
        """One cell; code and output stay as they are."""
        if cell.cell_type == "markdown":
            cell.source = FORMULA.sub(_mathml, BADGE.sub("", cell.source))
        return cell, resources


def _mathml(match: re.Match[str]) -> str:
    block = match["block"]
    tree = mathml(block.strip()) if block else mathml(match["inline"], display="inline")
    return tostring(tree, encoding="unicode")


c = get_config()  # type: ignore[name-defined]  # noqa: F821
c.ExecutePreprocessor.store_widget_state = False
# Icons are rendered for a network that comes without, and photographs read: for its user to say how long.
OWN = ("LUCID_EXT_MODEL", "LUCID_EXT_IMAGES")
c.ExecutePreprocessor.timeout = None if any(map(os.environ.get, OWN)) else 900
c.HTMLExporter.extra_template_basedirs = [str(Path(__file__).parent)]
c.HTMLExporter.template_name = "offline"
c.HTMLExporter.preprocessors = [SelfContained]
