"""What all interfaces share: a picture, a board per choice, a live view, and pages."""

import copy
import dataclasses
import functools
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import ipywidgets
import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from lucid_ext.board import Board
from lucid_ext.live import controls
from lucid_ext.live.background import Background
from lucid_ext.live.streaming import Arrived, with_pictures
from lucid_ext.models import VisionModel, load_image
from lucid_ext.models.vision_model import PROBABLE
from lucid_ext.widgets import OFFLINE, BoardView, board_key, offline_bundle, write_page

PICTURE_SIDE = 448  # of pictures in boards: sharp at twice the size they are shown at

MOST_LETTERS = 40  # of a name that a reader gives

SEND_EVERY = 0.7  # seconds between pictures sent to the view


class Interface:
    """A Board for each choice, a view of the current one, and icons that stream into it.

    A subclass gives `make_board`, for a picture `see` and, where icons stream in, `refine`. Write
    the interface as the last line of a cell to see it. A choice and a picture are kept only once
    their board has been made and drawn: where that fails, everything stays as it was.

    Attributes:
        model: the network.
        image: the picture, (H, W, 3) in [0, 1]; of an interface that is about no picture, None.
        picture: what the network sees of it, for a `Grid`: uint8.
        note: a remark on the picture.
        choice: the current option of each control, {control: option}.
        options: the options of each control, {control: [option, ...]}. Numbers are offered as a slider.
        takes_pictures: whether readers may give a picture of their own.
        follows: whether what `refine` renders depends on the selection.
        paired: whether it is one of a pair, whose page is three times as large as its own.
    """

    takes_pictures = True
    follows = True
    paired = False
    paired_by: ClassVar[Callable[..., "Interface"]]
    """What makes a pair of interfaces; `live.pair`, which builds on this file, puts it here."""

    def __init__(
        self, model: VisionModel, image: Any, options: Mapping[str, Sequence[Any]], choice: Mapping[str, Any]
    ):
        self.model = model
        self.options = {control: [str(v) for v in values] for control, values in options.items()}
        self.choice = self._checked(choice)
        self._start_over()
        self.image: Any = None
        self.picture: Any = None
        self.note = ""
        if image is not None:
            self._take(image)

    def _start_over(self) -> None:
        """No board, no view and no work behind as yet."""
        self._boards: dict[tuple[str, ...], Board] = {}
        self._lock = threading.RLock()
        self._view: BoardView | None = None
        self._box: ipywidgets.Widget | None = None
        self._menus: dict[str, ipywidgets.Widget] = {}
        self._refusal = ""
        self._selected: dict[str, int] = {}
        self._background = Background(self._round, self._finished)

    def see(self, image: np.ndarray) -> None:
        """Run the network on a new picture and keep what boards are made from.

        Assign attributes anew and leave the objects they held as they are: these are still in use if
        no board can be made of the picture.
        """
        raise NotImplementedError

    def make_board(self, choice: Mapping[str, str]) -> Board:
        """Compute the board for a choice, with what can be had at once."""
        raise NotImplementedError

    def refine(
        self, board: Board, selected: Mapping[str, int], go_on: Callable[[], bool], page: bool = False
    ) -> Iterator[Arrived]:
        """Render what `board` still lacks, what is `selected` first; stop when `go_on` says so.

        For a `page`, which has to be waited for, only what matters most.
        """
        return iter(())

    def turned(
        self, choice: Mapping[str, str], levels: Mapping[str, Sequence[float]]
    ) -> dict[str, np.ndarray]:
        """What dials at any `levels` lead to, {list: values}, for {list: level of each unit}.

        A subclass whose boards have `Dials` may answer; without, one dial at a time can be turned.
        """
        raise NotImplementedError

    def renamed(self, choice: Mapping[str, str], name: str, atom: int, label: str) -> None:
        """Keep the name a unit of list `name` was given; where that fails, the board does not take it."""

    def label(self, control: str, option: str) -> str:
        """Return how a menu calls an option of a control."""
        return option

    def warning(self, choice: Mapping[str, str]) -> str:
        """Return what a reader should know before the board of a choice is made; by default nothing.

        The view says it for as long as the board is being made.
        """
        return ""

    def page_choices(self) -> list[dict[str, str]]:
        """The choices an offline page carries, the one to show first ahead."""
        rest = [dict(zip(self.options, c, strict=True)) for c in itertools.product(*self.options.values())]
        return [self.choice, *(c for c in rest if c != self.choice)]

    def say(self, status: str) -> None:
        """Tell whoever looks what is being done, until something else is.

        What was refused last stands before it, until something is accepted.
        """
        if self._view:
            self._view.status = " ".join(part for part in (self._refusal, status) if part)

    @property
    def board(self) -> Board:
        """The board of the current choice, with the icons that have arrived so far."""
        return self.board_of(self.choice)

    def board_of(self, choice: Mapping[str, str]) -> Board:
        """The board of any choice, with the icons that have arrived so far."""
        key = tuple(choice.values())
        with self._lock:
            if key not in self._boards:
                self._boards[key] = self._made(choice)
            return self._boards[key]

    @property
    def selected(self) -> dict[str, tuple[int, int] | int]:
        """What the reader has pinned: {panel: (row, column)} for grids, unit for lists, nodes for flows."""
        return self._places(self._selected)

    @property
    def hovered(self) -> dict[str, tuple[int, int] | int]:
        """What is under the reader's pointer, in the same form."""
        return self._places(self._view.hovered if self._view else {})

    @property
    def view(self) -> BoardView:
        """The widget that draws the board; `observe` its `selected` and `hovered`."""
        if self._view is None:
            answers = type(self).turned is not Interface.turned
            self._view = BoardView(self.board, selected=dict(self._selected), answers=answers)
            self._view.observe(self._on_select, "selected")
            self._view.observe(self._on_names, "names")
            if answers:
                self._view.observe(self._on_levels, "levels")
        return self._view

    def choose(self, **choice: Any) -> None:
        """Change options, as the controls do: `choose(basis="NMF")`.

        A choice of which no board can be made is refused, and the present one stays.
        """
        chosen = {**self.choice, **self._checked(choice)}
        with self._lock:
            selected = self._draw(self.board_of(chosen))
            self.choice, self._selected = chosen, selected
        self._accepted()

    def rename(self, name: str, atom: int, label: str) -> None:
        """Give a unit of list `name` a name, as readers do in the view."""
        self._rename(self.choice, name, atom, label)
        if self._view:
            self._view.show(self.board)

    def look_at(self, image: Any) -> None:
        """Show another picture, anything `load_image` takes.

        One that cannot be read, or of which no board can be made, is refused, and this one stays.
        """
        if not self.takes_pictures:
            raise ValueError(f"{type(self).__name__} shows the pictures it was made of: make another one.")
        tried = copy.copy(self)  # so that work going on behind finds nothing half changed
        tried._boards = {}
        tried._take(image)
        board = tried.board
        with self._lock:
            selected = self._draw(board)
            vars(self).update(vars(tried))
            self._selected = selected
        self._accepted()

    def stop(self) -> None:
        """End the work going on behind; what has arrived stays. `wait` takes it up again."""
        self._background.stop()

    def wait(self) -> "Interface":
        """Wait until everything has arrived; Ctrl-C ends the waiting and the work."""
        self._background.wait()
        return self

    def pair(
        self,
        other: "Interface | Mapping[Any, Interface]",
        names: tuple[str, str] = ("first", "second"),
        control: str = "compared with",
    ) -> "Interface":
        """Set this interface beside another of the same kind, under one selection, with what differs.

        Args:
            other: the other one; or several, by the option of a control that chooses among them.
            names: what to call this one and the other.
            control: the name of that control.

        Returns:
            A `Pair`.
        """
        return self.paired_by(self, other, names, control)

    def to_html(self, path: str | os.PathLike) -> Path:
        """Write one self-contained page: no network, no kernel, all variants of `page_choices`.

        Returns:
            The path written to.

        Raises:
            ValueError: it cannot be written; a page that was there before stays.
        """
        return write_page(self._finished_boards(), path)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if offline := offline_bundle(self, self._finished_boards):
            return offline
        if self._box is None:
            self._box = self._layout()
        self._background.ask()
        return self._box._repr_mimebundle_(**kwargs)

    def __repr__(self) -> str:
        """The class and the current options."""
        return f"{type(self).__name__}({', '.join(f'{k}={v}' for k, v in self.choice.items())})"

    # The picture and its boards.

    def _take(self, image: Any) -> None:
        loaded = load_image(image)
        self.see(loaded)
        self.image, self.picture = loaded, _picture(self.model, loaded)
        (best, odds), *_ = self.model.predict(loaded, 1)
        unsure = f"The network is sure of nothing here: its best guess, {best}, is {odds:.0%} probable."
        self.note = unsure if odds < PROBABLE else ""

    def _made(self, choice: Mapping[str, str]) -> Board:
        """Make the board of a choice, and say so where that takes long."""
        warning = self.warning(choice)
        if not warning:
            return self.make_board(choice)
        self.say(warning)
        try:
            return self.make_board(choice)
        finally:
            self.say("")

    def _checked(self, choice: Mapping[str, Any]) -> dict[str, str]:
        for control, option in choice.items():
            if str(option) not in self.options.get(control, ()):
                known = ", ".join(self.options.get(control, self.options))
                raise ValueError(f"there is no {control} {option!r}; expected one of {known}.")
        return {control: str(option) for control, option in choice.items()}

    def _draw(self, board: Board) -> dict[str, Any]:
        """Draw a board in the place of the present one, and return what is selected on it by now."""
        before = self._boards.get(tuple(self.choice.values()))
        selected = board.carry(self._selected, before) if before else {}
        if self._view:
            self._view.show(board)
        return selected

    def _accepted(self) -> None:
        """Let the controls, and the work going on behind, follow what has been chosen."""
        self._refusal = ""
        self.say(self._resting)
        for control, menu in self._menus.items():
            menu.value = self.choice[control]
        self._background.ask()

    def _finished_boards(self) -> list[Board]:
        """All boards of a page, with what they are to have of icons."""
        choices, quiet = self.page_choices(), bool(os.environ.get(OFFLINE))
        with tqdm(desc="pictures for the page", unit="picture", delay=1, leave=False, disable=quiet) as bar:
            for choice in choices:
                for arrived in self.refine(self.board_of(choice), {}, lambda: True, page=True):
                    self.add(choice, arrived)
                    bar.update(len(arrived[1]))
        return [self.board_of(choice) for choice in choices]

    def add(self, choice: Mapping[str, str], arrived: Arrived) -> Board:
        """Put pictures that have arrived into the board of a choice."""
        name, pixels = arrived
        with self._lock:
            board = self.board_of(choice)
            panels = [with_pictures(p, pixels) if p.name == name else p for p in board.panels]
            board = dataclasses.replace(board, panels=panels)
            self._boards[tuple(choice.values())] = board
        return board

    def renew(self, choice: Mapping[str, str]) -> None:
        """Make the board of a choice anew, where more is known by now, and draw it if it is shown."""
        with self._lock:
            board = self._made(choice)
            self._boards[tuple(choice.values())] = board
        if self._view and choice == self.choice:
            self._view.show(board)

    def _places(self, atoms: Mapping[str, int]) -> dict[str, tuple[int, int] | int]:
        places: dict[str, tuple[int, int] | int] = {}
        for name, atom in atoms.items():
            panel = self.board[name]
            places[name] = panel.address(atom)
        return places

    # Behind the view.

    def _round(self, go_on: Callable[[], bool]) -> None:
        """Let icons stream into the present board until something else is asked for."""
        choice, image, count = self.choice, self.image, 0
        waiting: set[str] = set()
        sent = 0.0

        def still_wanted() -> bool:
            return go_on() and choice is self.choice and image is self.image

        def send() -> None:
            for name in sorted(waiting) if self._view and image is self.image else ():
                self.view.add_icons(self.board_of(choice), name)
            waiting.clear()

        for name, pixels in self.refine(self.board_of(choice), dict(self._selected), still_wanted):
            if image is not self.image:  # pictures of what is shown no more
                break
            self.add(choice, (name, pixels))
            count += len(pixels)
            waiting.add(name)
            if self._view and time.monotonic() - sent > SEND_EVERY:
                send()
                sent = time.monotonic()
                self.say(f"Drawing: {count} pictures so far.")
            if self._background.asked or not still_wanted():
                break
        send()

    def _finished(self, failure: BaseException | None) -> None:
        if failure is not None:
            self.say(f"{type(failure).__name__}: {failure}")
        else:
            self.say(self._resting)

    @property
    def _resting(self) -> str:
        """What there is to say while nothing is being done."""
        return "Stopped." if self._background.stopped else ""

    def _on_select(self, change: Mapping[str, Any]) -> None:
        names = {panel.name for panel in self.board.panels}
        self._selected = {name: atom for name, atom in change["new"].items() if name in names}
        if self._refusal:
            self._refusal = ""
            self.say(self._resting)
        if self.follows:
            self._background.ask()

    def _on_names(self, change: Mapping[str, Any]) -> None:
        for choice in map(dict, [board.choice for board in self._boards.values()]):
            for name, given in change["new"].get(board_key(self.board_of(choice)), {}).items():
                for atom, label in given.items():
                    self._rename(choice, name, int(atom), label)

    def _rename(self, choice: Mapping[str, str], name: str, atom: int, label: str) -> None:
        panel = self.board_of(choice)[name]
        label = " ".join(str(label).split())[:MOST_LETTERS]
        if not panel.renamable or not 0 <= atom < len(panel) or not label:
            raise ValueError(f"unit {atom} of {name!r} cannot be named {label!r}: no such unit, or no name.")
        if panel.label(atom) != label:
            with self._lock:
                board = self.board_of(choice).rename(name, atom, label)
                self.renamed(choice, name, atom, label)
                self._boards[tuple(choice.values())] = board

    def _on_levels(self, change: Mapping[str, Any]) -> None:
        levels = change["new"]
        if any(float(level) != 1 for row in levels.values() for level in row):
            found = self.turned(self.choice, levels)
            values = {name: [float(v) for v in array] for name, array in found.items()}
            self.view.answer = {"board": board_key(self.board), "levels": levels, "values": values}

    def _layout(self) -> ipywidgets.Widget:
        """The view, and its controls above it."""
        self._menus = {
            control: controls.option(
                *(control, options, self.choice[control], self._chooser(control)),
                functools.partial(self.label, control),
            )
            for control, options in self.options.items()
            if len(options) > 1
        }
        widgets = list(self._menus.values())
        for panel in self.board.panels:
            if panel.lists and panel.most > panel.shown:
                widgets.append(controls.slider(panel.shown, panel.most, self._limiter(panel.name)))
        if self.takes_pictures and self.image is not None:
            widgets.append(controls.upload(self._upload))
        if type(self).refine is not Interface.refine:
            behind = self._background
            widgets.append(controls.stop_button(lambda: behind.stopped, behind.stop, behind.resume))
        return ipywidgets.VBox([controls.bar(widgets), self.view])

    def _chooser(self, control: str) -> Callable[[str], None]:
        def choose(option: str) -> None:
            if option != self.choice[control]:
                try:
                    self._try(lambda: self.choose(**{control: option}))
                finally:
                    self._menus[control].value = self.choice[control]

        return choose

    def _limiter(self, name: str) -> Callable[[int], None]:
        def limit(count: int) -> None:
            self.view.shown = {**self.view.shown, name: count}

        return limit

    def _upload(self, data: bytes) -> None:
        self._try(lambda: self.look_at(data))

    def _try(self, change: Callable[[], None]) -> None:
        """Do what a reader asked for; if it is refused, say why."""
        self._refusal = ""  # of what was asked for before
        try:
            change()
        except Exception as error:
            expected = isinstance(error, ValueError)
            self._refusal = str(error) if expected else f"{type(error).__name__}: {error}"
            self.say(self._resting)
            if not expected:
                raise


def _picture(model: VisionModel, image: np.ndarray) -> np.ndarray:
    """What the network sees of an image: uint8, its larger side PICTURE_SIDE."""
    pixels = Image.fromarray(np.round(model.crop(image) * 255).astype(np.uint8))
    scale = PICTURE_SIDE / max(pixels.size)
    width, height = (max(1, round(side * scale)) for side in pixels.size)
    return np.asarray(pixels.resize((width, height), Image.Resampling.BICUBIC))
