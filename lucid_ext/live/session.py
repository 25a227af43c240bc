"""The life of an interface in a notebook: what is chosen, made, shown, and at work behind."""

import copy
import dataclasses
import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm.auto import tqdm

from lucid_ext.board import Board
from lucid_ext.live.background import Background, handle, weakly
from lucid_ext.live.controls import close
from lucid_ext.live.outputs import outputs
from lucid_ext.live.streaming import Arrived, unless, with_pictures
from lucid_ext.live.widget import InterfaceWidget
from lucid_ext.widgets import OFFLINE, BoardView, board_key

if TYPE_CHECKING:
    from lucid_ext.live.interface import Interface

MOST_LETTERS = 40  # of a name that a reader gives

SEND_EVERY = 0.7  # seconds between pictures sent to the view


class GoneError(Exception):
    """Nobody holds the interface any more."""


class Session:
    """Chooses, keeps boards, shows one of them in a view, and lets pictures stream into it.

    It belongs to its interface, and neither it nor its widgets hold that one: an interface that nobody
    else holds is freed, its work ends and its widgets are closed.

    Attributes:
        choice: the current option of each control.
        boards: those that have been made, by the options they are for.
        background: the work.
    """

    def __init__(self, interface: "Interface", choice: dict[str, str], speaks_for: "Session | None" = None):
        """Begin, with no board, no view and no work as yet.

        Args:
            interface: whose life it is.
            choice: the option of each control to begin with.
            speaks_for: in whose view to say what is being done, if not its own.
        """
        self._interface = weakref.ref(interface)
        self.choice = choice
        self.boards: dict[tuple[str, ...], Board] = {}
        self.background = Background(weakly(self._round), weakly(self._finished))
        self._speaks_for = speaks_for
        self._lock = threading.RLock()
        self._view: BoardView | None = None
        self._widget: InterfaceWidget | None = None
        self._refusal = ""
        self._selected: dict[str, Any] = {}
        weakref.finalize(interface, weakly(self.close)).atexit = False

    @property
    def interface(self) -> "Interface":
        """The interface whose life it is."""
        found = self._interface()
        if found is None:
            raise GoneError
        return found

    # What is chosen, and its boards.

    @property
    def board(self) -> Board:
        """The board of the present choice."""
        return self.board_of(self.choice)

    def board_of(self, choice: Mapping[str, str]) -> Board:
        """Return the board of a choice, made if it is not there."""
        key = tuple(choice.values())
        with self._lock:
            if key not in self.boards:
                self.boards[key] = self._made(choice)
            return self.boards[key]

    def choose(self, choice: dict[str, str]) -> None:
        """Show the board of another choice, if it can be made and drawn."""
        with self._lock:
            selected = self._draw(self.board_of(choice))
            self.choice, self._selected = choice, selected
        self._accepted()

    def set_image(self, image: np.ndarray) -> None:
        """Show another picture, if it can be analyzed and its board be made and drawn."""
        tried = copy.copy(self.interface)  # so that work going on behind finds nothing half changed
        tried.session = Session(tried, self.choice, self)
        tried._look_at(image)
        tried.analyze(image)
        board = tried.board
        with self._lock:
            selected = self._draw(board)
            vars(self.interface).update({**vars(tried), "session": self})
            self.boards, self._selected = tried.session.boards, selected
        self._accepted()

    def add(self, choice: Mapping[str, str], arrived: Arrived) -> Board:
        """Put pictures that have arrived into the board of a choice."""
        name, pixels = arrived
        with self._lock:
            board = self.board_of(choice)
            panels = [with_pictures(p, pixels) if p.name == name else p for p in board.panels]
            board = dataclasses.replace(board, panels=panels)
            self.boards[tuple(choice.values())] = board
        return board

    def invalidate(self, choice: Mapping[str, str]) -> None:
        """Make the board of a choice anew, and draw it if it is shown."""
        with self._lock:
            board = self._made(choice)
            self.boards[tuple(choice.values())] = board
        if (view := self._view) and choice == self.choice:
            view.show(board)

    def rename(self, choice: Mapping[str, str], name: str, atom: int, label: str) -> None:
        """Give a unit of a list a name, if it can be kept."""
        panel = self.board_of(choice)[name]
        label = " ".join(str(label).split())[:MOST_LETTERS]
        if not panel.renamable or not 0 <= atom < len(panel) or not label:
            raise ValueError(f"unit {atom} of {name!r} cannot be named {label!r}: no such unit, or no name.")
        if panel.label(atom) != label:
            with self._lock:
                board = self.board_of(choice).rename(name, atom, label)
                self.interface.renamed(choice, name, atom, label)
                self.boards[tuple(choice.values())] = board

    def page_boards(self) -> list[Board]:
        """Return all boards of a page, with what they are to have of icons."""
        interface = self.interface
        choices, quiet = interface.page_choices(), bool(os.environ.get(OFFLINE))
        with tqdm(desc="pictures for the page", unit="picture", delay=1, leave=False, disable=quiet) as bar:
            for choice in choices:
                for arrived in interface.stream(self.board_of(choice), {}, lambda: False, page=True):
                    self.add(choice, arrived)
                    bar.update(len(arrived[1]))
        return [self.board_of(choice) for choice in choices]

    def _made(self, choice: Mapping[str, str]) -> Board:
        """Make the board of a choice, and say so where that takes long."""
        interface = self.interface
        warning = interface.warning(choice)
        if not warning:
            return interface.make_board(choice)
        self.set_status(warning)
        try:
            return interface.make_board(choice)
        finally:
            self.set_status("")

    def _draw(self, board: Board) -> dict[str, Any]:
        """Draw a board in the place of the present one, and return what is selected on it by now."""
        before = self.boards.get(tuple(self.choice.values()))
        selected = board.carry(self._selected, before) if before else {}
        if self._view:
            self._view.show(board)
        return selected

    def _accepted(self) -> None:
        """Let the controls, and the work going on behind, follow what has been chosen."""
        self._refusal = ""
        self.set_status(self._resting)
        if self._widget:
            self._widget.follow(self.choice)
        self.background.ask()

    # The view and what stands beside it.

    def view(self, kept: bool = False) -> BoardView:
        """Return the view, a new one if there is none or it has been closed.

        Args:
            kept: whether the interface is to live for as long as the view is open.
        """
        if self._view is None:
            answers = self.interface.writes("rescale")
            selected = dict(self._selected)
            view = self._view = BoardView(self.board, selected=selected, answers=answers)
            view.observe(weakly(self._on_select), "selected")
            view.observe(weakly(self._on_names), "names")
            view.observe(weakly(self._on_close), "comm")
            if answers:
                view.observe(weakly(self._on_levels), "levels")
        if kept:
            self._keep(self._view)
        return self._view

    def widget(self, kept: bool = False) -> InterfaceWidget:
        """Return the view and its controls as one widget, and let work begin if it is a new one."""
        if self._widget is None:
            self._widget = InterfaceWidget(self)
            self._widget.observe(weakly(self._on_close), "comm")
            self.background.ask()
        if kept:
            self._keep(self._widget)
        return self._widget

    def show(self) -> InterfaceWidget:
        """Return the widget for the output of a cell, and let work go on."""
        widget = self.widget()
        self._keep()
        self.background.ask()
        return widget

    def _keep(self, widget: BoardView | InterfaceWidget | None = None) -> None:
        """Let the present cell keep the interface, which it shows; and a widget that was asked for."""
        interface = self.interface
        if widget is not None:
            widget.owner = interface
        if shown := outputs():
            shown.keep(interface)

    def redraw(self) -> None:
        """Draw the present board, if there is a view."""
        if self._view:
            self._view.show(self.board)

    def close(self) -> None:
        """End the present work and close the widgets; what is asked for next begins anew."""
        self.background.rest()
        found = [widget for widget in (self._widget, self._view) if widget is not None]
        self._view, self._widget = None, None
        for widget in found:
            close(widget)
            widget.owner = None
        if (interface := self._interface()) and (shown := outputs()):
            shown.drop(interface)

    def set_status(self, status: str) -> None:
        """Say what is being done; what was refused last stands before it, until something is accepted."""
        if self._speaks_for:
            self._speaks_for.set_status(status)
        elif view := self._view:
            view.status = " ".join(part for part in (self._refusal, status) if part)

    def places(self, what: str) -> dict[str, tuple[int, int] | int]:
        """Return what is "selected" or "hovered": (row, column) for grids, atoms for other panels."""
        hovered = self._view.hovered if self._view else {}
        atoms, board = self._selected if what == "selected" else hovered, self.board
        places: dict[str, tuple[int, int] | int] = {}
        for panel in board.panels:
            if panel.name in atoms:
                atom = atoms[panel.name]
                places[panel.name] = panel.address(atom)
        return {name: places[name] for name in atoms if name in places}

    @property
    def _resting(self) -> str:
        """What there is to say while nothing is being done."""
        return "Stopped." if self.background.stopped else ""

    # The work behind.

    def _round(self, go_on: Callable[[], bool]) -> None:
        """Let icons stream into the present board until something else is asked for."""
        try:
            interface = handle(self.interface)
            choice, image, count = self.choice, interface.image, 0
            waiting: set[str] = set()
            sent = 0.0

            def wanted() -> bool:
                return go_on() and choice is self.choice and image is interface.image

            def send() -> None:
                for name in sorted(waiting) if image is interface.image else ():
                    if view := self._view:
                        view.add_icons(self.board_of(choice), name)
                waiting.clear()

            board, selected = self.board_of(choice), dict(self._selected)
            for name, pixels in interface.stream(board, selected, unless(wanted)):
                if image is not interface.image:  # pictures of what is shown no more
                    break
                self.add(choice, (name, pixels))
                count += len(pixels)
                waiting.add(name)
                if self._view and time.monotonic() - sent > SEND_EVERY:
                    send()
                    sent = time.monotonic()
                    self.set_status(f"Drawing: {count} pictures so far.")
                if self.background.asked or not wanted():
                    break
            send()
        except GoneError:
            return

    def _finished(self, failure: BaseException | None) -> None:
        self.set_status(f"{type(failure).__name__}: {failure}" if failure else self._resting)

    # What readers do.

    def _on_select(self, change: Mapping[str, Any]) -> None:
        names = {panel.name for panel in self.board.panels}
        self._selected = {name: atom for name, atom in change["new"].items() if name in names}
        if self._refusal:
            self._refusal = ""
            self.set_status(self._resting)
        if self.interface.streams_on_select:
            self.background.ask()

    def _on_names(self, change: Mapping[str, Any]) -> None:
        for choice in map(dict, [board.choice for board in self.boards.values()]):
            for name, given in change["new"].get(board_key(self.board_of(choice)), {}).items():
                for atom, label in given.items():
                    self.rename(choice, name, int(atom), label)

    def _on_levels(self, change: Mapping[str, Any]) -> None:
        levels, view = change["new"], self._view
        if view and any(float(level) != 1 for row in levels.values() for level in row):
            found = self.interface.rescale(self.choice, levels)
            values = {name: [float(v) for v in array] for name, array in found.items()}
            view.answer = {"board": board_key(self.board), "levels": levels, "values": values}

    def _on_close(self, change: Mapping[str, Any]) -> None:
        if change["new"] is None:
            self.close()

    def attempt(self, change: "Callable[[Interface], None]") -> None:
        """Do what a reader asked for; if it is refused, say why."""
        self._refusal = ""  # of what was asked for before
        try:
            change(self.interface)
        except Exception as error:
            expected = isinstance(error, ValueError)
            self._refusal = str(error) if expected else f"{type(error).__name__}: {error}"
            self.set_status(self._resting)
            if not expected:
                raise
