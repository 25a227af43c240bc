"""Formulas as MathML, which browsers draw without a script or a network.

A formula may come from anywhere: a saved board, a notebook. The tree made of it holds elements and
attributes of the lists below and text, and nothing is ever parsed as HTML.
"""

import re
from typing import Any
from xml.etree.ElementTree import Element

MAX_LENGTH = 10_000  # characters of TeX
ELEMENTS = (
    *("math", "menclose", "mfrac", "mi", "mlabeledtr", "mmultiscripts", "mn", "mo", "mover", "mpadded"),
    *("mphantom", "mprescripts", "mroot", "mrow", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup"),
    *("mtable", "mtd", "mtext", "mtr", "munder", "munderover", "none"),
)
ATTRIBUTES = (
    *("accent", "border-color", "columnalign", "columnlines", "columnspacing", "depth", "display"),
    *("displaystyle", "fence", "form", "height", "largeop", "linebreak", "linethickness", "lspace"),
    *("mathbackground", "mathcolor", "mathsize", "mathvariant", "maxsize", "minsize", "movablelimits"),
    *("notation", "rowlines", "rowspacing", "rspace", "scriptlevel", "stretchy", "voffset", "width"),
)
VALUE = re.compile(r"[-+#.%\w ]*", re.ASCII)  # of an attribute: a word, a length, a colour
CODE = re.compile(r"&#x([0-9A-Fa-f]{1,5});")  # how the converter writes symbols
COMMAND = re.compile(r"\\[A-Za-z]+")
DEFINITION = re.compile(r"\\(?:\w*new(?:command|environment)|def|let|DeclareMathOperator)(?![A-Za-z])")


def mathml(tex: str, display: str = "block") -> Element:
    """Return a formula as a tree of MathML.

    Args:
        tex: the formula, in TeX.
        display: "block" or "inline".

    Raises:
        ValueError: it is too long, cannot be converted, has a command that is not known, defines one
            (which a few characters can make grow without end), or asks for more than drawing: a link,
            a style.
    """
    from latex2mathml.converter import convert_to_element

    if len(tex) > MAX_LENGTH:
        raise ValueError(f"a formula has {len(tex):,} characters; expected at most {MAX_LENGTH:,} of TeX.")
    if defined := DEFINITION.search(tex):
        raise ValueError(f"the formula {_shortened(tex)} has {defined[0]}; write out what it stands for.")
    try:
        tree = convert_to_element(tex, display=display)
    except Exception as error:  # the converter has one of its own for each mistake
        what = str(error) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
        raise ValueError(f"the formula {_shortened(tex)} is not TeX that can be drawn ({what}).") from error
    for element in tree.iter():
        _check(element, tex)
    return tree


def encode(tree: Element) -> list[Any]:
    """Return a tree as JSON: [element, {attribute: value}, child or text, ...]."""
    return [tree.tag, dict(tree.attrib), *([tree.text] if tree.text else []), *map(encode, tree)]


def _check(element: Element, tex: str) -> None:
    """Refuse what is not on the lists; write symbols as what they are."""
    element.attrib.pop("xmlns", None)  # said where the element is made
    for what in (element.tag, *element.attrib):
        if what not in ELEMENTS and what not in ATTRIBUTES:
            raise ValueError(f"the formula {_shortened(tex)} asks for {what!r}, which formulas may not have.")
    for name, value in element.attrib.items():
        if not VALUE.fullmatch(value):
            raise ValueError(
                f"the formula {_shortened(tex)} has the {name} {value!r}; expected a plain word."
            )
    if element.text:
        element.text = CODE.sub(lambda match: chr(int(match[1], 16)), element.text)
        unknown = None if element.tag == "mtext" else COMMAND.search(element.text)
        if unknown is not None:
            raise ValueError(
                f"the formula {_shortened(tex)} has {unknown[0]}, which is no command latex2mathml knows."
            )


def _shortened(tex: str) -> str:
    return repr(tex if len(tex) <= 80 else tex[:77] + "...")
