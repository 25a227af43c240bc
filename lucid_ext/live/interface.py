"""What an interface is: a picture, a board per choice, and pictures that stream into it."""

import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from lucid_ext.board import Board
from lucid_ext.live.renamed import EarlierNames
from lucid_ext.live.session import Session
from lucid_ext.live.streaming import Arrived
from lucid_ext.live.widget import InterfaceWidget
from lucid_ext.models import VisionModel, load_image
from lucid_ext.models.vision_model import PROBABLE
from lucid_ext.widgets import BoardView, offline_bundle, write_page

PICTURE_SIDE = 448  # of pictures in boards: sharp at twice the size they are shown at


class _Analyzed(type):
    """Has an interface analyze its picture once all its constructors are done, and not amid them."""

    def __call__(cls, *args: Any, **options: Any) -> Any:
        made = super().__call__(*args, **options)
        if made.image is not None:
            made.analyze(made.image)
        return made


class Interface(EarlierNames, metaclass=_Analyzed):
    """A Board for each choice, a view of the current one, and icons that stream into it.

    A subclass writes `make_board`; `analyze` if it is about a picture; and `stream` if icons arrive
    later. A constructor calls none of them. Write the interface as the last line of a cell to see it,
    or put its `widget` into any other. A choice and a picture are kept only once their board has been
    made and drawn: where that fails, everything stays as it was.

    Attributes:
        model: the network.
        image: the picture, (H, W, 3) in [0, 1]; of an interface that is about no picture, None.
        picture: what the network sees of it, for a `Grid`: uint8.
        note: a remark on the picture.
        controls: the options of each control, where a subclass declares them.
        options: the same, as text: {control: [option, ...]}. Numbers are offered as a slider.
        takes_pictures: whether readers may give a picture of their own.
        streams_on_select: whether what `stream` renders depends on the selection.
        session: its life in a notebook: what is chosen, made, shown and at work.
    """

    controls: ClassVar[Mapping[str, Sequence[Any]]] = {}
    takes_pictures = True
    streams_on_select = True
    paired_by: ClassVar[Callable[..., "Interface"]]
    """What makes a pair of interfaces; `live.pair`, which builds on this file, puts it here."""

    def __init__(
        self,
        model: VisionModel,
        image: Any = None,
        options: Mapping[str, Sequence[Any]] | None = None,
        choice: Mapping[str, Any] | None = None,
    ):
        """Prepare; the picture is analyzed when the constructors of subclasses are done too.

        Args:
            model: the network.
            image: anything `load_image` takes; None for an interface that is about no picture.
            options: of each control, {control: [option, ...]}; by default those of `controls`.
            choice: the option of each control to begin with; by default its first one.

        Raises:
            TypeError: a subclass lacks what makes it an interface.
            ValueError: one sentence that says what does not fit.
        """
        _check_written(type(self), image is not None)
        self.model = model
        offered = self.controls if options is None else options
        self.options = {control: [str(v) for v in values] for control, values in offered.items()}
        first = {control: values[0] for control, values in self.options.items()}
        self.session = Session(self, {**first, **self._checked(choice or {})})
        self.image: Any = None
        self.picture: Any = None
        self.note = ""
        if image is not None:
            self._look_at(load_image(image))

    # What a subclass writes.

    def analyze(self, image: np.ndarray) -> None:
        """Run the network on a new picture and keep what boards are made from.

        Assign attributes anew and leave the objects they held as they are: these are still in use if
        no board can be made of the picture.
        """
        raise NotImplementedError

    def make_board(self, choice: Mapping[str, str]) -> Board:
        """Compute the board for a choice, with what can be had at once; `board` is the present one."""
        raise NotImplementedError

    def stream(
        self, board: Board, selected: Mapping[str, int], stop: Callable[[], bool], page: bool = False
    ) -> Iterator[Arrived]:
        """Render what `board` still lacks, what is `selected` first; end when `stop` says so.

        For a `page`, which has to be waited for, only what matters most.
        """
        return iter(())

    def rescale(
        self, choice: Mapping[str, str], levels: Mapping[str, Sequence[float]]
    ) -> dict[str, np.ndarray]:
        """Return what dials at any `levels` lead to, {list: values}, for {list: level of each unit}.

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

    def page_choices(
        self, choice: Mapping[str, str] | None = None, paired: bool = False
    ) -> list[dict[str, str]]:
        """Return the choices an offline page carries, the one to show first ahead.

        Args:
            choice: the one to show first; by default the present one.
            paired: whether the page is that of a pair, which is three times as large.
        """
        first = dict(choice or self.choice)
        rest = [dict(zip(self.options, c, strict=True)) for c in itertools.product(*self.options.values())]
        return [first, *(c for c in rest if c != first)]

    def beside(self, others: "Sequence[Interface]") -> "list[Interface]":
        """Return this and others as they stand in a pair; by default as they are."""
        return [self, *others]

    # What a subclass may ask for.

    def set_status(self, status: str) -> None:
        """Tell whoever looks what is being done, until something else is.

        What was refused last stands before it, until something is accepted.
        """
        self.session.set_status(status)

    def board_of(self, choice: Mapping[str, str]) -> Board:
        """Return the board of any choice, with the icons that have arrived so far."""
        return self.session.board_of(choice)

    def invalidate(self, choice: Mapping[str, str]) -> None:
        """Make the board of a choice anew, where more is known by now, and draw it if it is shown."""
        self.session.invalidate(choice)

    def add(self, choice: Mapping[str, str], arrived: Arrived) -> Board:
        """Put pictures that have arrived into the board of a choice."""
        return self.session.add(choice, arrived)

    # What a reader has.

    @property
    def choice(self) -> dict[str, str]:
        """The current option of each control, {control: option}."""
        return self.session.choice

    @property
    def board(self) -> Board:
        """The board of the current choice, with the icons that have arrived so far."""
        return self.session.board

    @property
    def selected(self) -> dict[str, tuple[int, int] | int]:
        """What the reader has pinned: {panel: (row, column)} for grids, unit for lists, nodes for flows."""
        return self.session.places("selected")

    @property
    def hovered(self) -> dict[str, tuple[int, int] | int]:
        """What is under the reader's pointer, in the same form."""
        return self.session.places("hovered")

    @property
    def view(self) -> BoardView:
        """The widget that draws the board; `observe` its `selected` and `hovered`.

        It begins no work by itself: that is what `widget`, `wait` and the end of a cell do. While it
        is open it keeps the interface alive. Closing it ends the work, and asking again gives another.
        """
        return self.session.view(kept=True)

    @property
    def widget(self) -> InterfaceWidget:
        """The view and its controls as one widget, for any box, tab or app; icons begin to arrive.

        Its `choice` says what is chosen, and chooses what is assigned. While it is open it keeps the
        interface alive. Closing it ends the work, and asking again gives another.
        """
        return self.session.widget(kept=True)

    def choose(self, **choice: Any) -> None:
        """Change options, as the controls do: `choose(basis="NMF")`.

        A choice of which no board can be made is refused, and the present one stays.
        """
        self.session.choose({**self.choice, **self._checked(choice)})

    def rename(self, name: str, atom: int, label: str) -> None:
        """Give a unit of list `name` a name, as readers do in the view."""
        self.session.rename(self.choice, name, atom, label)
        self.session.redraw()

    def set_image(self, image: Any) -> None:
        """Show another picture, anything `load_image` takes.

        One that cannot be read, or of which no board can be made, is refused, and this one stays.
        """
        if not self.takes_pictures:
            raise ValueError(f"{type(self).__name__} shows the pictures it was made of: make another one.")
        _check_written(type(self), pictured=True)
        self.session.set_image(load_image(image))

    def stop(self) -> None:
        """End the work going on behind; what has arrived stays. `wait` takes it up again."""
        self.session.background.stop()

    def wait(self) -> "Interface":
        """Wait until everything has arrived; Ctrl-C ends the waiting and the work."""
        self.session.background.wait()
        return self

    def close(self) -> None:
        """End the work and close the widgets, if there are any; what is asked for next begins anew."""
        self.session.close()

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
        return write_page(self.session.page_boards(), path)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if offline := offline_bundle(self, self.session.page_boards):
            return offline
        return self.session.show()._repr_mimebundle_(**kwargs)

    def __repr__(self) -> str:
        """The class and the current options."""
        return f"{type(self).__name__}({', '.join(f'{k}={v}' for k, v in self.choice.items())})"

    @classmethod
    def writes(cls, name: str) -> bool:
        """Check whether a subclass has written a method that it may."""
        return getattr(cls, name) is not getattr(Interface, name)

    def __copy__(self) -> "Interface":
        """The same picture and what is known of it, with boards, a view and work of its own."""
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        other.session = Session(other, dict(self.choice))
        return other

    def _look_at(self, image: np.ndarray) -> None:
        """Keep a picture, what the network sees of it, and how sure of it the network is."""
        self.image, self.picture = image, _picture(self.model, image)
        (best, odds), *_ = self.model.predict(image, 1)
        unsure = f"The network is sure of nothing here: its best guess, {best}, is {odds:.0%} probable."
        self.note = unsure if odds < PROBABLE else ""

    def _checked(self, choice: Mapping[str, Any]) -> dict[str, str]:
        for control, option in choice.items():
            if str(option) not in self.options.get(control, ()):
                known = ", ".join(self.options.get(control, self.options))
                raise ValueError(f"there is no {control} {option!r}; expected one of {known}.")
        return {control: str(option) for control, option in choice.items()}


def _check_written(kind: type[Interface], pictured: bool) -> None:
    """Refuse an interface that cannot make a board, in a sentence that says what to write."""
    wanted = {"make_board": "make_board(choice), which returns the Board of a choice"}
    if pictured:
        wanted["analyze"] = "analyze(image), which keeps what boards are made from"
    missing = [said for name, said in wanted.items() if not kind.writes(name)]
    if missing:
        raise TypeError(f"{kind.__name__} is no interface yet: give it {' and '.join(missing)}.")


def _picture(model: VisionModel, image: np.ndarray) -> np.ndarray:
    """What the network sees of an image: uint8, its larger side PICTURE_SIDE."""
    pixels = Image.fromarray(np.round(model.crop(image) * 255).astype(np.uint8))
    scale = PICTURE_SIDE / max(pixels.size)
    width, height = (max(1, round(side * scale)) for side in pixels.size)
    return np.asarray(pixels.resize((width, height), Image.Resampling.BICUBIC))
