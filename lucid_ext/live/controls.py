"""The ipywidgets around a live view: options, lengths of lists, the reader's picture, Stop."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import ipywidgets

Widget: TypeAlias = ipywidgets.Widget
PLAIN = {"description_width": "initial"}
NUMBER = re.compile(r"[-+]?\d+(\.\d+)?(/\d+)?")  # the view's controls have the same


def option(
    name: str,
    options: Sequence[str],
    value: str,
    choose: Callable[[str], None],
    label: Callable[[str], str] = str,
) -> Widget:
    """One of several options: a slider where all are numbers, else a dropdown that calls each by a label."""
    if all(NUMBER.fullmatch(o) for o in options):
        widget = ipywidgets.SelectionSlider(
            options=list(options),
            value=value,
            description=name,
            continuous_update=False,  # each stop may be minutes of work
            layout={"width": "260px"},
            style=PLAIN,
        )
    else:
        labels = [label(option) for option in options]
        plain = labels == list(options)
        widget = ipywidgets.Dropdown(
            options=labels if plain else list(zip(labels, options, strict=True)),
            value=value,
            description=name,
            layout={"width": "220px"},
            style=PLAIN,
        )
    widget.observe(lambda change: choose(change["new"]), "value")
    return widget


def slider(value: int, most: int, choose: Callable[[int], None]) -> Widget:
    """How many rows of a list to show."""
    widget = ipywidgets.IntSlider(
        value=value, min=1, max=most, description="number shown", layout={"width": "260px"}, style=PLAIN
    )
    widget.observe(lambda change: choose(change["new"]), "value")
    return widget


def upload(take: Callable[[bytes], None]) -> Widget:
    """The reader's own picture."""
    widget = ipywidgets.FileUpload(accept="image/*", description="Your picture", layout={"width": "150px"})

    def chosen(change: Mapping[str, Any]) -> None:
        files = change["new"]  # a tuple of files; in ipywidgets 7 a dict by name
        file = next(iter(files.values() if isinstance(files, dict) else files), None)
        if file is not None:
            take(bytes(file["content"]))

    widget.observe(chosen, "value")
    return widget


def stop_button(
    is_stopped: Callable[[], bool], stop: Callable[[], None], go_on: Callable[[], None]
) -> Widget:
    """Ends the work going on behind, and begins it again."""
    widget = ipywidgets.Button(
        description="Stop drawing",
        tooltip="End, or take up again, the drawing of icons",
        layout={"width": "120px"},
    )

    def pressed(_: Any) -> None:
        (go_on if is_stopped() else stop)()
        widget.description = "Go on drawing" if is_stopped() else "Stop drawing"

    widget.on_click(pressed)
    return widget


def bar(widgets: Sequence[Widget]) -> Widget:
    """Controls in a row that wraps."""
    return ipywidgets.HBox(list(widgets), layout={"flex_flow": "row wrap", "align_items": "center"})


def close(widget: Widget) -> None:
    """Close a widget and all that it is made of, which would stay in memory otherwise."""
    parts = [getattr(widget, name, None) for name in ("layout", "style")]
    parts += getattr(widget, "children", ())
    widget.close()
    for part in parts:
        if isinstance(part, ipywidgets.Widget):
            close(part)
