"""Whatever is written or named by somebody is text: a page runs its own script alone and asks for nothing."""

import dataclasses
import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lucid_ext.board import Board, Cards, Fact, Grid, Heat, Mark, Ranking, literal
from lucid_ext.models.layers import Layers
from lucid_ext.storage.markup import escaped
from lucid_ext.widgets import frame, page
from lucid_ext.widgets.bundle import widget_module
from lucid_ext.widgets.charts import Chart, matrix, quartiles
from lucid_ext.widgets.formula import ATTRIBUTES, ELEMENTS, mathml
from lucid_ext.widgets.payload import payload
from tests.board.test_board import PICTURE
from tests.board.test_dials import board as dials_board
from tests.board.test_flow import flow_board
from tests.widgets.test_page import HOST

NAMES = {"name", "named_after", "source", "strip", "target"}  # of panels: the same string wherever it stands
CHECKED = {"colour", "colours", "format", "formula"}  # what is no free text

FRAGMENTS = [
    *("<img src=x onerror=PWNED()>", "<script>PWNED()</script>", "<svg onload=PWNED()>", "<iframe srcdoc="),
    *("</script>", "</style>", "</title>", "</math>", "</textarea>", "<!--", "-->", "]]>", "<![CDATA["),
    *(
        '"',
        "'",
        "`",
        "<",
        ">",
        "&",
        "&lt;",
        "&#60;",
        "&#x3C;",
        "=",
        "/",
        "\\",
        "%3Cscript%3E",
        "{",
        "}",
        "$&",
    ),
    *("$`", "${PWNED()}", "{image}", "{units.1}", "{{", "javascript:PWNED()", "onerror=PWNED()", "\u2028"),
    *(
        "url(https://example.org/x)",
        "@import 'https://example.org/x'",
        "data:text/html,<script>PWNED()</script>",
    ),
    *("\x00", "\ud800", "\u202e", "\r\n", "\t", "\ufeff", "__proto__", "constructor", "toString", "é", "🐈"),
    *("\\text{", "\\tag{", "\\mbox{", "\\href{javascript:PWNED()}{", "<a href=javascript:PWNED()>", " "),
]
SOME = 10  # strings in one page
STRINGS = st.lists(
    st.one_of(
        st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=6).map("".join),
        st.text(st.characters(exclude_categories=()), max_size=40),
    ),
    min_size=SOME,
    max_size=SOME,
)
FUZZ = settings(
    max_examples=30,  # of SOME strings each
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
TAGS_IN = "[...new Set([...%s.querySelectorAll('*')].map((e) => e.localName))].sort()"
ATTRIBUTES_IN = "[...new Set([...%s.querySelectorAll('*')].flatMap((e) => e.getAttributeNames()))].sort()"


def everything() -> Board:
    """A board with a panel and a link of every kind, and a text wherever there can be one."""
    flow, parts = flow_board(), dials_board()
    cards = Cards(
        "cards",
        "Cards",
        ["one", "two"],
        notes=["note", "note"],
        values=np.float32([1, 2]),
        facts=[Fact("fact", np.float32([0.1, 0.2]))],
        marks=["mark", "mark"],
        doubts=["doubt", "doubt"],
        strip="here",
        shown=2,
        most=2,
    )
    other = Grid(
        "other", "Other", PICTURE, 2, 3, places={"place": 1}, note="note", scene="other", law="law",
        values=np.ones(6, np.float32), marks=[Mark(0, "mark", "#123456")],
    )  # fmt: skip
    links = [
        Heat("other", "image", np.ones((6, 4), np.float32), law="law"),
        Ranking(
            "other",
            "parts",
            np.zeros((6, 1), np.int32),
            np.ones((6, 1), np.float32),
            law="{} law",
            notes=["n"] * 6,
        ),
        Ranking(
            "cards",
            "here",
            np.zeros((2, 1), np.int32),
            np.ones((2, 1), np.float32),
            law="{} law",
            notes=["n"] * 2,
        ),
    ]
    return Board(
        "Title",
        "Reading.",
        [flow["flow"], *parts.panels, cards, other],
        [dataclasses.replace(link, target="other") for link in flow.links] + [*parts.links, *links],
        caption=["{image} {parts.1} {parts.1.value}"],
        choice={"control": "option"},
    )


def filled(value: Any, strings: "itertools.cycle[str]", names: dict[str, str]) -> Any:
    """The same with another string in place of every text, and one for each name in place of it."""
    if isinstance(value, str):
        return next(strings)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.name not in CHECKED}
        named = {f: names.get(text, text) for f, text in fields.items() if f in NAMES}
        rest = {f: filled(part, strings, names) for f, part in fields.items() if f not in NAMES}
        if "caption" in rest:  # a slot that names nothing is refused
            rest["caption"] = [literal(text) for text in rest["caption"]]
        return dataclasses.replace(value, **named, **rest)
    if isinstance(value, Mapping):
        return {filled(key, strings, names): filled(one, strings, names) for key, one in value.items()}
    if isinstance(value, Sequence):
        return [filled(one, strings, names) for one in value]
    return value


def formula(strings: Sequence[str]) -> str:
    """The strings as formulas, as far as they are any."""

    def drawn(tex: str) -> bool:
        try:
            mathml(tex)
        except ValueError:
            return False
        return True

    forms = [form % text for text in strings for form in ("%s", r"\text{%s}", r"\mbox {%s}", r"\tag{%s}")]
    parts = [part for part in forms if drawn(part)]
    together = r"\quad ".join(f"{{{part}}}" for part in parts)
    return together if drawn(together) else next(iter(parts), "")


def board(strings: Sequence[str]) -> Board:
    plain = everything()
    names = {
        panel.name: f"{text}{i}" for i, (panel, text) in enumerate(zip(plain.panels, strings, strict=False))
    }
    made = filled(plain, itertools.cycle(strings), {**names, "fact": strings[0]})
    return dataclasses.replace(made, formula=formula(strings))


def check(watched, root: str, tags: set[str], attributes: set[str]) -> None:
    """Nothing ran, nothing was asked for, and nothing stands in the page that does not in a harmless one."""
    watched.tab.wait_for_timeout(30)
    assert watched.ran() == []
    assert watched.asked_for() == []
    assert watched.errors == []
    assert {*watched.tab.evaluate(TAGS_IN % root)} <= tags | {"wbr"}
    assert {*watched.tab.evaluate(ATTRIBUTES_IN % root)} <= attributes


@pytest.fixture
def opened(watched, tmp_path):
    """Opens the HTML made of some strings; takes note of what stands in it where they are harmless."""

    def open_(html: str) -> None:
        (tmp_path / "page.html").write_text(html, encoding="utf-8", newline="")
        watched.tab.goto((tmp_path / "page.html").as_uri())
        watched.tab.locator(".lx-title, h2").first.wait_for(state="attached")

    return open_


HARMLESS = [f"word {i}" for i in range(SOME)]


def test_a_page(watched, opened):
    """Under its own policy, which would report what it stopped; the reader gives a name, too."""
    opened(page([board(HARMLESS)]))
    tags = {*watched.tab.evaluate(TAGS_IN % "document")} | {*ELEMENTS}
    attributes = {*watched.tab.evaluate(ATTRIBUTES_IN % "document")} | {*ATTRIBUTES}

    @FUZZ
    @given(STRINGS)
    def fuzz(strings):
        made = board(strings)
        opened(page([made]))
        assert watched.tab.locator("title").text_content() == as_read(made.title)
        name(watched.tab, strings[0])
        check(watched, "document", tags, attributes)

    fuzz()


def as_read(text: str) -> str:
    """A text as HTML has it: some characters it does not have, and lines end in one way."""
    text = "".join("\ufffd" if c == "\x00" or "\ud800" <= c <= "\udfff" else c for c in text)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def name(tab, text: str) -> None:
    """Name the first part, as a reader does."""
    panel = tab.locator(".lx-units", has=tab.locator(".lx-naming button")).first
    panel.locator(".lx-row").first.click()
    panel.locator(".lx-naming > button").click()
    panel.locator(".lx-naming input").fill(text.encode("utf-8", "replace").decode())
    panel.locator(".lx-naming input").press("Enter")


def test_a_view_in_a_notebook(watched, opened):
    """Where nothing but the view itself stands between a text and the page: no policy, no frame."""

    def hosted(made: Board) -> str:
        state = {"payload": payload([made], controls=False), "selected": {}, "status": made.title}
        text = json.dumps(json.dumps(state)).replace("<", "\\u003c")
        return HOST % (text, json.dumps(widget_module())) + "<h2></h2>"

    def drawn(strings: Sequence[str]) -> None:
        opened(hosted(board(strings)))
        watched.tab.wait_for_function("window.root?.querySelector('.lx-board')")

    drawn(HARMLESS)
    root = "window.root"
    tags = {*watched.tab.evaluate(TAGS_IN % root)} | {*ELEMENTS}
    attributes = {*watched.tab.evaluate(ATTRIBUTES_IN % root)} | {*ATTRIBUTES}

    @FUZZ
    @given(STRINGS)
    def fuzz(strings):
        drawn(strings)
        check(watched, root, tags, attributes)

    fuzz()


def test_charts_and_tables_and_lines_of_an_index(watched, opened):
    def document(strings: Sequence[str]) -> str:
        numbers = np.linspace(-1, 1, SOME * 2).reshape(2, SOME)
        charts = matrix(numbers, strings[:2], strings, strings[3]) + quartiles(
            strings[:2], {s: [numbers[0], numbers[1]] for s in strings[:3]}, strings[4], strings[5]
        )
        assert isinstance(charts, Chart)
        layers = Layers(dict.fromkeys(strings, (7, 7, 3)), dict.fromkeys(strings, (1.0, 1.0)))
        lines = "".join(f'<li title="{escaped(s)}">{escaped(s)}</li>' for s in strings)
        return f"<!doctype html><h2></h2>{charts._repr_html_()}{layers._repr_html_()}<ul>{lines}</ul>"

    opened(document(HARMLESS))
    tags = {*watched.tab.evaluate(TAGS_IN % "document")}
    attributes = {*watched.tab.evaluate(ATTRIBUTES_IN % "document")}

    @FUZZ
    @given(STRINGS)
    def fuzz(strings):
        opened(document(strings))
        check(watched, "document", tags, attributes)
        said = [line.get_attribute("title") for line in watched.tab.locator("li").all()]
        assert said == [as_read(s) for s in strings]

    fuzz()


def test_a_policy_names_the_script_and_the_frame_lets_nothing_out(watched, opened):
    """What would run if it got into a page does not; and a page in a frame does not reach out of it."""
    text = page([board(HARMLESS)])
    assert "unsafe-inline" not in text
    got_in = "<script>PWNED()</script><img src=x onerror=PWNED()><style>h2 { color: red }</style>"
    opened(text.replace("</main>", f"</main>{got_in}", 1))
    watched.tab.wait_for_timeout(200)
    assert watched.ran() == []
    assert any("Content Security Policy" in error for error in watched.errors)
    watched.errors.clear()
    opened(f"<!doctype html><h2></h2>{frame([board(HARMLESS)])}")
    inner = watched.tab.frame_locator("iframe")
    inner.locator(".lx-board").wait_for()
    reached = watched.tab.frames[1].evaluate(
        "() => { try { return parent.document.title } catch (error) { return error.name } }"
    )
    assert reached == "SecurityError"
    assert watched.errors == []
    watched.tab.frames[1].evaluate("parent.postMessage({ lucidExtHeight: 1e9 }, '*')")
    watched.tab.wait_for_timeout(100)
    assert watched.tab.locator("iframe").bounding_box()["height"] < 20_000
