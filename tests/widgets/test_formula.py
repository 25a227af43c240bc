"""Formulas: what ordinary ones look like, and that nothing but a formula comes of one."""

import html
import json
import re
from pathlib import Path

import pytest
from latex2mathml.converter import convert

from lucid_ext.widgets.bundle import STATIC
from lucid_ext.widgets.formula import ATTRIBUTES, ELEMENTS, MAX_LENGTH, encode, mathml

COMMON = (Path(__file__).parent / "formulas.txt").read_text(encoding="utf-8").splitlines()

HOSTILE = [
    r"\tag{<img src=x onerror=PWNED()>}",
    r"\fbox{<iframe srcdoc='<script>parent.PWNED()</script>'>}",
    r"\text {<img src=x onerror=PWNED()>}",
    "\\text\n{<img src=x onerror=PWNED()>}",
    r"\mbox{<svg onload=PWNED()>}",
    r"\hbox{<img src=x onerror=PWNED()>}",
    r"\textbf{<img src=x onerror=PWNED()>}",
    r"\textit{<style>*{background:url(https://example.org/)}</style>}",
    r"\textrm{</math><img src=x onerror=PWNED()>}",
    r"\verb|<img src=x onerror=PWNED()>|",
    r"\text{&lt;img src=x onerror=PWNED()&gt;}",
    r"\text{&#x0003C;img src=x onerror=PWNED()>}",
    r"\operatorname{<script>PWNED()</script>}",
    r"<img src=x onerror=PWNED()>",
    r"\begin{matrix} <a href=javascript:PWNED()> & b \end{matrix}",
]


def test_is_a_tree_of_plain_lists():
    tree = encode(mathml(r"\sum_c a_c < 1"))
    assert tree == json.loads(json.dumps(tree))
    assert tree == [
        "math",
        {"display": "block"},
        [
            "mrow",
            {},
            ["munder", {}, ["mo", {}, "∑"], ["mi", {}, "c"]],
            ["msub", {}, ["mi", {}, "a"], ["mi", {}, "c"]],
            ["mo", {}, "<"],
            ["mn", {}, "1"],
        ],
    ]


@pytest.mark.parametrize(
    ("tex", "said"),
    [
        (r"a \qquads_j", r"has \\qquads, which is no command latex2mathml knows"),
        (r"\href{javascript:PWNED()}{x}", "asks for 'href'"),
        (r"\class{lx-board}{x}", "class"),
        (r"\style{background: url(https://example.org)}{x}", "style"),
        (r"\color{url(https://example.org)}{x}", "mathcolor"),
        (r"\newcommand{\a}[1]{#1#1}\a{\a{\a{x}}}", r"has \\newcommand; write out"),
        (r"\def\a{\a\a}\a", r"has \\def; write out"),
        ("x" * (MAX_LENGTH + 1), "expected at most 10,000"),
        ("{" * 5000, "not TeX that can be drawn"),
        ("x^2^3", r"not TeX that can be drawn \(double superscripts error\)"),
    ],
)
def test_what_is_no_drawing_is_refused(tex, said):
    with pytest.raises(ValueError, match=said):
        mathml(tex)


@pytest.mark.parametrize("tex", HOSTILE)
def test_a_tree_holds_only_what_is_on_the_lists(tex):
    tree = mathml(tex)
    assert {element.tag for element in tree.iter()} <= {*ELEMENTS}
    assert {name for element in tree.iter() for name in element.attrib} <= {*ATTRIBUTES}
    assert not {name for name in ATTRIBUTES if name.startswith("on") or name in ("style", "href", "src")}


def drawing(tex: str) -> str:
    """The script that draws a formula into window.drawn."""
    source = re.sub(r"^export ", "", (STATIC / "formula.js").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lists = json.dumps({"elements": ELEMENTS, "attributes": ATTRIBUTES})
    tree = json.dumps(encode(mathml(tex)))
    return f"(() => {{ const MATHML = {lists};\n{source}\nreturn drawFormula({tree}); }})()"


def test_common_formulas_are_drawn_as_the_converters_own_markup_is(watched):
    """Against the browser's reading of what latex2mathml writes; text in it escaped by hand."""
    assert len(COMMON) >= 200
    watched.tab.set_content("<!doctype html><body></body>")
    for tex in COMMON:
        safe = re.sub(r"(?<=\\text\{)[^}]*", lambda match: html.escape(match[0]), tex)
        expected = watched.tab.evaluate(
            "(text) => new DOMParser().parseFromString(text, 'text/html').querySelector('math').outerHTML",
            convert(safe, display="block"),
        )
        found = watched.tab.evaluate(f"{drawing(tex)}.outerHTML")
        assert found == expected.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', ""), tex


def test_a_formula_is_text_where_it_is_no_mathematics(watched):
    """Where nothing else would stop it: a page without a policy."""
    watched.tab.set_content("<!doctype html><body></body>")
    for tex in HOSTILE:
        watched.tab.evaluate(f"document.body.append({drawing(tex)})")
    watched.tab.wait_for_timeout(300)
    assert watched.ran() == []
    assert watched.asked_for() == []
    assert watched.tab.locator("img, iframe, svg, script, style, a").count() == 0
    assert "<img src=x onerror=PWNED()>" in watched.tab.locator("body").inner_text()
