"""What all interfaces share: controls, a live view, work that goes on behind it, and pages."""

import dataclasses
import itertools
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
from PIL import Image

from lucid_ext.board import Board, Grid, Units
from lucid_ext.models import VisionModel
from lucid_ext.widgets import BoardView, frame, page

OFFLINE = "LUCID_EXT_OFFLINE"
"""When this environment variable is set, interfaces show their offline page instead of a widget."""

PICTURE_SIDE = 448  # of pictures in boards: sharp at twice the size they are shown at

Arrived = tuple[str, dict[int, np.ndarray]]
"""Icons that became ready: the name of a list, and {unit: uint8 (s, s, 3)}."""


class Interface:
    """A Board for each choice, a view of the current one, and icons that stream into it.

    A subclass gives `make_board`, `refine` and, if it wants other variants in its pages,
    `page_choices`. Write the interface as the last line of a cell to see it.

    Attributes:
        choice: the current option of each control, {control: option}.
        options: the options of each control, {control: [option, ...]}.
    """

    def __init__(self, options: Mapping[str, Sequence[str]], choice: Mapping[str, str]):
        for control, option in choice.items():
            if option not in options[control]:
                raise ValueError(
                    f"there is no {control} {option!r}; expected one of {', '.join(options[control])}."
                )
        self.options = {control: list(values) for control, values in options.items()}
        self.choice = dict(choice)
        self._boards: dict[tuple[str, ...], Board] = {}
        self._view: BoardView | None = None
        self._box: ipywidgets.Widget | None = None
        self._selected: dict[str, int] = {}
        self._lock = threading.RLock()
        self._worker: threading.Thread | None = None
        self._again = False
        self._stopped = False
        self._failure: BaseException | None = None

    def make_board(self, choice: Mapping[str, str]) -> Board:
        """Compute the board for a choice, with what can be had at once."""
        raise NotImplementedError

    def refine(
        self, board: Board, selected: Mapping[str, int], go_on: Callable[[], bool]
    ) -> Iterator[Arrived]:
        """Render what `board` still lacks, what is `selected` first; stop when `go_on` says so."""
        return iter(())

    def page_choices(self) -> list[dict[str, str]]:
        """The choices an offline page carries, the one to show first ahead."""
        rest = [dict(zip(self.options, c, strict=True)) for c in itertools.product(*self.options.values())]
        return [self.choice, *(c for c in rest if c != self.choice)]

    def extra_controls(self) -> list[ipywidgets.Widget]:
        """Further controls of a subclass."""
        return []

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
        for control, option in choice.items():
            if option not in self.options.get(control, ()):
                known = ", ".join(self.options.get(control, self.options))
                raise ValueError(f"there is no {control} {option!r}; expected one of {known}.")
        self.choice = {**self.choice, **choice}
        self._selected = {}
        if self._view:
            self._view.show(self.board)
        self._work()

    def stop(self) -> None:
        """End the work going on behind; what has arrived stays."""
        self._stopped = True

    def wait(self) -> "Interface":
        """Wait until everything has arrived; Ctrl-C ends the waiting and the work."""
        self._work()
        try:
            while (worker := self._worker) is not None and worker.is_alive():
                worker.join(0.1)
        except KeyboardInterrupt:
            self.stop()
            raise
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
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
        self._work()
        return self._box._repr_mimebundle_(**kwargs)

    def __repr__(self) -> str:
        """The class and the current options."""
        return f"{type(self).__name__}({', '.join(f'{k}={v}' for k, v in self.choice.items())})"

    # Boards.

    def _board(self, choice: Mapping[str, str]) -> Board:
        key = tuple(choice.values())
        with self._lock:
            if key not in self._boards:
                self._boards[key] = self.make_board(choice)
            return self._boards[key]

    def _forget(self) -> None:
        """Drop all boards: what they were made from has changed."""
        with self._lock:
            self._boards.clear()
            self._selected = {}
        if self._view:
            self._view.show(self.board)
        self._work()

    def _finished_boards(self) -> list[Board]:
        """All boards of a page, with everything that was to arrive."""
        self._stopped = False
        choices = self.page_choices()
        for choice in choices:
            for arrived in self.refine(self._board(choice), {}, lambda: not self._stopped):
                self._add(choice, arrived)
        return [self._board(choice) for choice in choices]

    def _add(self, choice: Mapping[str, str], arrived: Arrived) -> Board:
        """Put icons that have arrived into a board."""
        name, pixels = arrived
        with self._lock:
            board = self._board(choice)
            panels = [with_icons(p, pixels) if p.name == name else p for p in board.panels]
            board = dataclasses.replace(board, panels=panels)
            self._boards[tuple(choice.values())] = board
        return board

    def _places(self, atoms: Mapping[str, int]) -> dict[str, tuple[int, int] | int]:
        places: dict[str, tuple[int, int] | int] = {}
        for name, atom in atoms.items():
            panel = self.board[name]
            places[name] = divmod(atom, panel.cols) if isinstance(panel, Grid) else atom
        return places

    # Work behind the view: one thread, which looks again whenever something was asked meanwhile.

    def _work(self) -> None:
        with self._lock:
            self._stopped = False
            self._again = True
            if self._worker is None or not self._worker.is_alive():
                self._worker = threading.Thread(target=self._run, daemon=True, name=repr(self))
                self._worker.start()

    def _run(self) -> None:
        try:
            while self._next_round():
                choice, count = dict(self.choice), 0
                go_on = lambda: not self._stopped and choice == self.choice  # noqa: E731, B023
                for arrived in self.refine(self._board(choice), dict(self._selected), go_on):
                    board = self._add(choice, arrived)
                    count += len(arrived[1])
                    self._tell(board, arrived[0], f"Drawing icons: {count} so far.")
        except Exception as error:
            self._failure = error
            self._say(f"{type(error).__name__}: {error}")
        else:
            self._say("Stopped." if self._stopped else "")

    def _next_round(self) -> bool:
        with self._lock:
            again, self._again = self._again and not self._stopped, False
            if not again:
                self._worker = None
            return again

    def _tell(self, board: Board, name: str, status: str) -> None:
        panel = board[name]
        if self._view and isinstance(panel, Units) and panel.icons is not None and panel.icon_of is not None:
            self._view.add_icons(board, name, panel.icons, panel.icon_of.tolist())
            self._say(status)

    def _say(self, status: str) -> None:
        if self._view:
            self._view.status = status

    def _on_select(self, change: Mapping[str, Any]) -> None:
        atoms = {n: a for n, a in change["new"].items() if any(p.name == n for p in self.board.panels)}
        self._selected = atoms
        self._work()

    # The controls around the view.

    def _layout(self) -> ipywidgets.Widget:
        controls: list[ipywidgets.Widget] = []
        for control, options in self.options.items():
            if len(options) > 1:
                dropdown = ipywidgets.Dropdown(
                    options=options,
                    value=self.choice[control],
                    description=control,
                    layout={"width": "220px"},
                    style={"description_width": "initial"},
                )
                dropdown.observe(
                    lambda change, control=control: self.choose(**{control: change["new"]}), "value"
                )
                controls.append(dropdown)
        for panel in self.board.panels:
            if isinstance(panel, Units) and panel.most > panel.shown:
                controls.append(self._slider(panel))
        stop = ipywidgets.Button(
            description="Stop", tooltip="End the rendering going on", layout={"width": "70px"}
        )
        stop.on_click(lambda _: self.stop())
        controls += [*self.extra_controls(), stop]
        row = ipywidgets.HBox(controls, layout={"flex_flow": "row wrap", "align_items": "center"})
        return ipywidgets.VBox([row, self.view])

    def _slider(self, panel: Units) -> ipywidgets.Widget:
        slider = ipywidgets.IntSlider(
            value=panel.shown,
            min=1,
            max=panel.most,
            description="number shown",
            layout={"width": "260px"},
            style={"description_width": "initial"},
        )

        def show(change: Mapping[str, Any]) -> None:
            self.view.shown = {**self.view.shown, panel.name: change["new"]}

        slider.observe(show, "value")
        return slider


def with_icons(panel: Any, pixels: Mapping[int, np.ndarray]) -> Any:
    """A list of units with icons {unit: uint8 (s, s, 3)} added; a larger size than before wins."""
    icons = [] if panel.icons is None else list(panel.icons)
    icon_of = np.full(len(panel), -1, np.int32) if panel.icon_of is None else panel.icon_of.copy()
    for unit, icon in pixels.items():
        icon_of[unit] = len(icons)
        icons.append(icon)
    return dataclasses.replace(panel, icons=np.stack(icons), icon_of=icon_of)


def picture_of(model: VisionModel, image: np.ndarray) -> np.ndarray:
    """What the network sees of an image, for a Grid: uint8, its larger side PICTURE_SIDE."""
    pixels = Image.fromarray(np.round(model.crop(image) * 255).astype(np.uint8))
    scale = PICTURE_SIDE / max(pixels.size)
    width, height = (max(1, round(side * scale)) for side in pixels.size)
    return np.asarray(pixels.resize((width, height), Image.Resampling.BICUBIC))
