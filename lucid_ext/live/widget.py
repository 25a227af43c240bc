"""The one widget of an interface: its view, controls above it, and the choice that ties them."""

import functools
import weakref
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets

from lucid_ext.live import controls

if TYPE_CHECKING:
    from lucid_ext.live.session import Session


class InterfaceWidget(ipywidgets.VBox):
    """Controls above a view, as one widget that goes into any box, tab or app.

    Attributes:
        choice: {control: option}. Assign another, or some of its controls, to choose; what cannot be
            chosen is refused with a `TraitError`. Observe it to hear what readers choose.
        owner: the interface, if it is to be kept alive for as long as the widget is open.
    """

    choice = traitlets.Dict()
    owner: Any = None

    def __init__(self, session: "Session"):
        """Put the controls of an interface above its view."""
        self._held = weakref.ref(session)
        self._menus: dict[str, ipywidgets.Widget] = {}
        bar = controls.bar(list(self._controls(session)))
        super().__init__([bar, session.view()], choice=dict(session.choice))

    def follow(self, choice: Mapping[str, str]) -> None:
        """Show what has been chosen."""
        for control, menu in self._menus.items():
            menu.value = choice[control]
        self.choice = dict(choice)

    @traitlets.validate("choice")
    def _choose(self, proposal: Any) -> Any:
        """Choose what is assigned, or refuse it."""
        session, wanted = self._held(), dict(proposal["value"])
        if session is None or wanted == session.choice:
            return wanted
        try:
            session.interface.choose(**{str(control): option for control, option in wanted.items()})
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from error
        return dict(session.choice)

    def _controls(self, session: "Session") -> Iterator[ipywidgets.Widget]:
        """Menus, lengths of lists, the reader's picture and Stop."""
        interface, behind = session.interface, session.background
        for control, options in interface.options.items():
            if len(options) > 1:
                choose = functools.partial(self._on_menu, control)
                labels = functools.partial(interface.label, control)
                menu = controls.option(control, options, session.choice[control], choose, labels)
                self._menus[control] = menu
                yield menu
        for panel in session.board.panels:
            if panel.lists and panel.most > panel.shown:
                limit = functools.partial(self._on_limit, panel.name)
                yield controls.slider(panel.shown, panel.most, limit)
        if interface.takes_pictures and interface.image is not None:
            yield controls.upload(self._on_upload)
        if interface.writes("stream"):
            yield controls.stop_button(lambda: behind.stopped, behind.stop, behind.resume)

    def _on_menu(self, control: str, option: str) -> None:
        session = self._held()
        if session is not None and option != session.choice[control]:
            try:
                session.attempt(lambda interface: interface.choose(**{control: option}))
            finally:
                self._menus[control].value = session.choice[control]

    def _on_limit(self, name: str, count: int) -> None:
        session = self._held()
        if session is not None:
            view = session.view()
            view.shown = {**view.shown, name: count}

    def _on_upload(self, data: bytes) -> None:
        session = self._held()
        if session is not None:
            session.attempt(lambda interface: interface.set_image(data))
