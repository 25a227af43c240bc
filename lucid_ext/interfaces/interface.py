"""What all interfaces share: a picture, a board per choice, a live view, and pages."""

import dataclasses
import itertools
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
from PIL import Image

from lucid_ext.board import Board, Grid, Panel, Units
from lucid_ext.interfaces import controls
from lucid_ext.interfaces.background import Background
from lucid_ext.models import SAMPLES, VisionModel, load_image
from lucid_ext.optvis import BATCH, Icon
from lucid_ext.widgets import BoardView, frame, page

OFFLINE = "LUCID_EXT_OFFLINE"
"""When this environment variable is set, interfaces show their offline page instead of a widget."""

PICTURE_SIDE = 448  # of pictures in boards: sharp at twice the size they are shown at

Arrived = tuple[str, dict[int, np.ndarray]]
"""Icons that became ready: the name of a list, and {unit: uint8 (s, s, 3)}."""


class Interface:
    """A Board for each choice, a view of the current one, and icons that stream into it.

    A subclass gives `make_board`, for a picture `see` and, where icons stream in, `refine`. Write
    the interface as the last line of a cell to see it.

    Attributes:
        model: the network.
        image: the picture, (H, W, 3) in [0, 1]; of an interface that is about no picture, None.
        picture: what the network sees of it, for a `Grid`: uint8.
        note: a remark on the picture.
        choice: the current option of each control, {control: option}.
        options: the options of each control, {control: [option, ...]}.
    """

    def __init__(
        self, model: VisionModel, image: Any, options: Mapping[str, Sequence[str]], choice: Mapping[str, str]
    ):
        self.model = model
        self.options = {control: list(values) for control, values in options.items()}
        self.choice: dict[str, str] = {}
        self._check(choice)
        self.choice = dict(choice)
        self._boards: dict[tuple[str, ...], Board] = {}
        self._lock = threading.RLock()
        self._view: BoardView | None = None
        self._box: ipywidgets.Widget | None = None
        self._selected: dict[str, int] = {}
        self._background = Background(self._round, self._finished)
        self.image: Any = None
        self.picture: Any = None
        self.note = ""
        if image is not None:
            self._take(image)

    def see(self, image: np.ndarray) -> None:
        """Run the network on a new picture and keep what boards are made from."""
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

    def page_choices(self) -> list[dict[str, str]]:
        """The choices an offline page carries, the one to show first ahead."""
        rest = [dict(zip(self.options, c, strict=True)) for c in itertools.product(*self.options.values())]
        return [self.choice, *(c for c in rest if c != self.choice)]

    @property
    def board(self) -> Board:
        """The board of the current choice, with the icons that have arrived so far."""
        return self._board(self.choice)

    @property
    def selected(self) -> dict[str, tuple[int, int] | int]:
        """What the reader has pinned: {panel: (row, column)} for grids, {panel: unit} for lists."""
        return self._places(self._selected)

    @property
    def hovered(self) -> dict[str, tuple[int, int] | int]:
        """What is under the reader's pointer, in the same form."""
        return self._places(self._view.hovered if self._view else {})

    @property
    def view(self) -> BoardView:
        """The widget that draws the board; `observe` its `selected` and `hovered`."""
        if self._view is None:
            self._view = BoardView(self.board, selected=dict(self._selected))
            self._view.observe(self._on_select, "selected")
        return self._view

    def choose(self, **choice: str) -> None:
        """Change options, as the controls do: `choose(layer="mixed4a")`."""
        self._check(choice)
        before = self.board
        self.choice = {**self.choice, **choice}
        self._show(before)

    def look_at(self, image: Any) -> None:
        """Show another picture, anything `load_image` takes; a bad one is refused and this one stays."""
        before = self.board
        self._take(image)
        with self._lock:
            self._boards.clear()
        self._show(before)

    def stop(self) -> None:
        """End the work going on behind; what has arrived stays. `wait` takes it up again."""
        self._background.stop()

    def wait(self) -> "Interface":
        """Wait until everything has arrived; Ctrl-C ends the waiting and the work."""
        self._background.wait()
        return self

    def to_html(self, path: str | os.PathLike) -> Path:
        """Write one self-contained page: no network, no kernel, all variants of `page_choices`.

        Returns:
            The path written to.
        """
        text = page(self._finished_boards())
        path = Path(path)
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ValueError(f"{path} cannot be written ({error.strerror}); give another path.") from error
        return path

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if os.environ.get(OFFLINE):
            return {"text/html": frame(self._finished_boards()), "text/plain": repr(self)}
        if self._box is None:
            self._box = self._layout()
        self._background.ask()
        return self._box._repr_mimebundle_(**kwargs)

    def __repr__(self) -> str:
        """The class and the current options."""
        return f"{type(self).__name__}({', '.join(f'{k}={v}' for k, v in self.choice.items())})"

    # The picture and its boards.

    def _take(self, image: Any) -> None:
        known = not isinstance(image, str) or image not in SAMPLES or SAMPLES[image].known
        loaded = load_image(image)
        self.see(loaded)
        self.image, self.picture = loaded, _picture(self.model, loaded)
        self.note = "" if known else "The network was trained on no class for this picture."

    def _check(self, choice: Mapping[str, str]) -> None:
        for control, option in choice.items():
            if option not in self.options.get(control, ()):
                known = ", ".join(self.options.get(control, self.options))
                raise ValueError(f"there is no {control} {option!r}; expected one of {known}.")

    def _board(self, choice: Mapping[str, str]) -> Board:
        key = tuple(choice.values())
        with self._lock:
            if key not in self._boards:
                self._boards[key] = self.make_board(choice)
            return self._boards[key]

    def _show(self, before: Board) -> None:
        """Draw the board of the present choice; what was selected on the one before stays so."""
        self._selected = self.board.carry(self._selected, before)
        if self._view:
            self._view.show(self.board)
        self._background.ask()

    def _finished_boards(self) -> list[Board]:
        """All boards of a page, with what they are to have of icons."""
        choices = self.page_choices()
        for choice in choices:
            for arrived in self.refine(self._board(choice), {}, lambda: True, page=True):
                self._add(choice, arrived)
        return [self._board(choice) for choice in choices]

    def _add(self, choice: Mapping[str, str], arrived: Arrived) -> Board:
        """Put icons that have arrived into a board."""
        name, pixels = arrived
        with self._lock:
            board = self._board(choice)
            panels = [_with_icons(p, pixels) if p.name == name else p for p in board.panels]
            board = dataclasses.replace(board, panels=panels)
            self._boards[tuple(choice.values())] = board
        return board

    def _places(self, atoms: Mapping[str, int]) -> dict[str, tuple[int, int] | int]:
        places: dict[str, tuple[int, int] | int] = {}
        for name, atom in atoms.items():
            panel = self.board[name]
            places[name] = divmod(atom, panel.cols) if isinstance(panel, Grid) else atom
        return places

    # Behind the view.

    def _round(self, go_on: Callable[[], bool]) -> None:
        """Let icons stream into the present board until something else is asked for."""
        choice, image, count = self.choice, self.image, 0

        def still_wanted() -> bool:
            return go_on() and choice is self.choice and image is self.image

        for arrived in self.refine(self._board(choice), dict(self._selected), still_wanted):
            board = self._add(choice, arrived)
            count += len(arrived[1])
            if self._view:
                self._view.add_icons(board, arrived[0])
                self._view.status = f"Drawing icons: {count} so far."
            if self._background.asked or not still_wanted():
                return

    def _finished(self, failure: BaseException | None) -> None:
        if self._view and failure is not None:
            self._view.status = f"{type(failure).__name__}: {failure}"
        elif self._view:
            self._view.status = "Stopped." if self._background.stopped else ""

    def _on_select(self, change: Mapping[str, Any]) -> None:
        names = {panel.name for panel in self.board.panels}
        self._selected = {name: atom for name, atom in change["new"].items() if name in names}
        self._background.ask()

    def _layout(self) -> ipywidgets.Widget:
        """The view, and its controls above it."""
        widgets = [
            controls.dropdown(control, options, self.choice[control], self._chooser(control))
            for control, options in self.options.items()
            if len(options) > 1
        ]
        for panel in self.board.panels:
            if isinstance(panel, Units) and panel.most > panel.shown:
                widgets.append(controls.slider(panel.shown, panel.most, self._limiter(panel.name)))
        if self.image is not None:
            widgets.append(controls.upload(self._upload))
        if type(self).refine is not Interface.refine:
            behind = self._background
            widgets.append(controls.stop_button(lambda: behind.stopped, behind.stop, behind.resume))
        return ipywidgets.VBox([controls.bar(widgets), self.view])

    def _chooser(self, control: str) -> Callable[[str], None]:
        return lambda option: self.choose(**{control: option})

    def _limiter(self, name: str) -> Callable[[int], None]:
        def limit(count: int) -> None:
            self.view.shown = {**self.view.shown, name: count}

        return limit

    def _upload(self, data: bytes) -> None:
        try:
            self.look_at(data)
        except ValueError as error:
            self.view.status = str(error)


def missing_icons(panel: Panel, wanted: Iterable[int]) -> list[int]:
    """Of some units of a list, those that have no icon yet."""
    assert isinstance(panel, Units)
    return [i for i in wanted if panel.icon_of is None or panel.icon_of[i] < 0]


def arrivals(name: str, units: Sequence[int], found: Iterable[tuple[int, Icon]]) -> Iterator[Arrived]:
    """Icons for a list as they come, (position in `units`, icon), a few at a time."""
    ready: dict[int, np.ndarray] = {}
    for i, icon in found:
        ready[units[i]] = icon.pixels
        if len(ready) == BATCH:
            yield name, ready
            ready = {}
    if ready:
        yield name, ready


def _with_icons(panel: Panel, pixels: Mapping[int, np.ndarray]) -> Panel:
    """A list of units with icons {unit: uint8 (s, s, 3)} added."""
    assert isinstance(panel, Units)
    icons = [] if panel.icons is None else list(panel.icons)
    icon_of = np.full(len(panel), -1, np.int32) if panel.icon_of is None else panel.icon_of.copy()
    for unit, icon in pixels.items():
        icon_of[unit] = len(icons)
        icons.append(icon)
    return dataclasses.replace(panel, icons=np.stack(icons), icon_of=icon_of)


def _picture(model: VisionModel, image: np.ndarray) -> np.ndarray:
    """What the network sees of an image: uint8, its larger side PICTURE_SIDE."""
    pixels = Image.fromarray(np.round(model.crop(image) * 255).astype(np.uint8))
    scale = PICTURE_SIDE / max(pixels.size)
    width, height = (max(1, round(side * scale)) for side in pixels.size)
    return np.asarray(pixels.resize((width, height), Image.Resampling.BICUBIC))
