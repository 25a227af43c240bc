"""The life of an interface: one widget for any place, and an end to whatever is shown no more."""

import gc
import threading
import time
import weakref
from typing import ClassVar

import ipywidgets
import numpy as np
import pytest
import traitlets

from lucid_ext.board import Board, Grid, Units
from lucid_ext.live import Interface
from tests.memory import needs_linux, run


class Tiled(Interface):
    """Two boards of no picture, whose tiles arrive one after another; `patient` ones never end."""

    controls: ClassVar = {"kind": ("plain", "other", "unmade"), "size": (1, 2)}
    patient = False

    def make_board(self, choice):
        if choice["kind"] == "unmade":
            raise ValueError("it cannot be made.")
        grid = Grid("image", "Picture", np.zeros((8, 8, 3), np.uint8), 2, 2, tiled=True)
        panels = [grid, Units("units", "Units", ["a", "b"], values=np.float32([1, 2]), shown=1, most=2)]
        return Board("Tiled", "Read it so.", panels[: int(choice["size"])], choice=choice)

    def stream(self, board, selected, stop, page=False):
        for cell in range(4):
            yield "image", {cell: np.full((4, 4, 3), cell, np.uint8)}
        while self.patient and not stop():
            time.sleep(0.01)


class Patient(Tiled):
    patient = True


def until(condition):
    """Wait for what happens behind."""
    deadline = time.monotonic() + 30
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


def at_work():
    return [t for t in threading.enumerate() if t.name == "lucid_ext background"]


def shown(interface):
    """Show an interface as the last line of a cell does; returns what the cell gets."""
    bundle = interface._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    return data["application/vnd.jupyter.widget-view+json"]["model_id"]


# One widget.


def test_the_widget_goes_into_a_box_and_draws_there():
    tab = ipywidgets.Tab([ipywidgets.HTML("first"), Tiled(None).widget])  # nobody else holds it
    gc.collect()
    view = tab.children[1].children[1]
    until(lambda: "image" in view.streamed)
    assert view.streamed["image"]["icon_of"] == [0, 1, 2, 3]
    tab.children[1].close()


def test_the_last_line_of_a_cell_shows_the_same_widget():
    made = Tiled(None)
    assert shown(made) == made.widget.model_id
    assert made.widget.children[1] is made.view
    made.close()


@pytest.mark.parametrize("close", [ipywidgets.Widget.close_all, None], ids=["all", "its own"])
def test_closed_and_asked_for_again_there_is_a_new_one(close):
    made = Tiled(None)
    made.choose(kind="other")
    before, view = shown(made), made.view
    view.selected = {"image": 2}
    (close or made.widget.close)()
    assert view.comm is None
    assert shown(made) != before
    assert made.view is not view
    assert made.view.selected == {"image": 2}
    assert made.widget.choice == {"kind": "other", "size": "1"}
    made.widget.children[0].children[0].value = "plain"
    assert made.choice["kind"] == "plain"
    made.close()


def test_one_choice_ties_python_and_the_controls():
    made = Tiled(None)
    widget, heard = made.widget, []
    widget.observe(lambda change: heard.append(change["new"]), "choice")
    kind, size = widget.children[0].children[:2]
    kind.value = "other"
    widget.choice = {"size": 2}  # some controls of it
    assert made.choice == widget.choice == {"kind": "other", "size": "2"}
    assert size.value == "2"
    made.choose(kind="plain")
    assert (kind.value, widget.choice["kind"]) == ("plain", "plain")
    assert heard == [
        {"kind": "other", "size": "1"},
        {"kind": "other", "size": "2"},
        {"kind": "plain", "size": "2"},
    ]
    for wrong, said in (
        ({"kind": "unmade"}, "it cannot be made"),
        ({"kind": "guess"}, "there is no kind 'guess'"),
        ({"colour": "red"}, "there is no colour 'red'"),
    ):
        with pytest.raises(traitlets.TraitError, match=said):
            widget.choice = wrong
        assert made.choice == widget.choice == heard[-1]
    assert len(heard) == 3
    made.close()


def test_what_cannot_be_selected_breaks_nothing():
    made = Tiled(None, choice={"size": 2})
    view = made.view
    view.selected, view.hovered = {"image": 1, "units": 1}, {"units": 0}
    for wrong in ({"image": 99}, {"nobody": 0}, {"image": "1"}, {"image": None}, None, 3):
        with pytest.raises(traitlets.TraitError):
            view.selected = wrong
        with pytest.raises(traitlets.TraitError), view.hold_trait_notifications():
            view.selected = wrong
    assert made.selected == {"image": (0, 1), "units": 1}
    made.choose(size=1)  # where there are no units
    assert made.selected == {"image": (0, 1)}
    assert made.hovered == {}
    view.selected = {"image": 3}
    assert made.wait().selected == {"image": (1, 1)}
    made.close()


# What is no longer shown ends.


def test_what_nobody_holds_ends_its_work_and_is_freed():
    made = Patient(None)
    shown(made)
    until(at_work)
    view, held = weakref.ref(made.view), weakref.ref(made.session)
    made.view.owner = None  # it was asked for here
    gc.disable()  # no cycle keeps anything
    try:
        del made
        until(lambda: not at_work())
        until(lambda: held() is None)
    finally:
        gc.enable()
    gc.collect()
    assert view() is None or view().comm is None


def test_many_of_them_leave_nothing_behind():
    def count():
        gc.collect()
        return len(ipywidgets.Widget.get_manager_state()["state"])

    before = count()
    for _ in range(8):
        shown(Patient(None))
    until(lambda: not at_work())
    assert count() == before


@pytest.mark.parametrize("which", ["view", "widget"])
def test_one_whose_view_is_closed_stops_its_work_until_it_is_asked_for(which):
    made = Patient(None)
    widget = made.widget
    until(at_work)
    (widget if which == "widget" else made.view).close()
    until(lambda: not at_work())
    assert not made.session.background.stopped
    assert widget.comm is None
    again = made.widget
    until(at_work)
    assert again.comm is not None
    made.close()
    until(lambda: not at_work())


def test_stop_stays_stop_when_it_is_shown_again():
    made = Patient(None)
    made.stop()
    shown(made)
    made.choose(kind="other")
    assert not at_work()
    made.close()


CELLS = """
import gc, threading, time
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()

def cell(text, **known):
    shell.run_cell(text, store_history=True, silent=False, **known).raise_error()

cell('''
import ipywidgets, numpy as np, time
from lucid_ext.board import Board, Grid
from lucid_ext.live import Interface

class Patient(Interface):
    def __init__(self):
        super().__init__(None)
        self.large = np.ones(5_000_000)  # 40 MB

    def make_board(self, choice):
        return Board("t", "r", [Grid("image", "p", np.zeros((8, 8, 3), np.uint8), 2, 2)])

    def stream(self, board, selected, stop, page=False):
        while not stop():
            time.sleep(0.01)
        yield from ()
''')

def at_work():
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        gc.collect()
        found = sum(t.name == "lucid_ext background" for t in threading.enumerate())
        if found <= 1:
            break
        time.sleep(0.05)
    return found
"""


SHOWING = ("Patient()", "d = Patient()\nd", "ipywidgets.VBox([Patient().widget])", "display(Patient())")


@needs_linux
def test_a_cell_that_is_run_again_ends_what_it_showed():
    *_, printed = run(
        CELLS
        + f"""
threads = []
for text in {SHOWING}:
    for _ in range(2):
        cell(text, cell_id=text)
    before = before if threads else peak()
    for _ in range(3):
        cell(text, cell_id=text)
        at_work()
    threads.append(at_work())
    cell("d = 1", cell_id=text)
print(*threads, peak() - before)
"""
    )
    *threads, grown = map(int, printed.split())
    assert threads == [1] * len(SHOWING)
    assert grown < 160e6  # of 18 times 40 MB


@needs_linux
def test_what_another_cell_shows_stays():
    *_, printed = run(
        CELLS
        + """
cell("d = Patient()")
cell("d", cell_id="one")
cell("first = d.session.show()", cell_id="two")
first = shell.user_ns["first"]
cell("1", cell_id="one")
kept = first.comm is not None
cell("d", cell_id="two")
same = first is shell.user_ns["d"].session.widget()
cell("1", cell_id="two")
print(kept, same, first.comm is None)
"""
    )
    assert printed == "True True True"
