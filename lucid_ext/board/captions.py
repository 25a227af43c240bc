"""Captions: sentences with slots, which what is selected fills."""

import re
from collections.abc import Sequence

from lucid_ext.board.panels import Panel

SLOT = r"\{(?P<panel>\w+)(?:\.(?P<row>[1-9]\d*)(?P<what>\.value)?)?\}"  # in a caption
LIKE_A_SLOT = r"\{(?P<panel>\w+)(?P<rest>(?:\.\w+)*)\}"


def literal(text: str) -> str:
    """Return a text that a caption says as it is, even if it has braces."""
    return text.replace("{", "{\u2060")  # a word joiner, which nobody sees


def check_slots(sentence: str, panels: Sequence[Panel]) -> None:
    """Refuse a sentence of a caption with a slot that can never be filled.

    Raises:
        ValueError: one sentence that names the slot and what could stand there.
    """
    known = {panel.name: panel for panel in panels}
    for slot in re.finditer(LIKE_A_SLOT, sentence):
        inside, name = slot[0][1:-1], slot["panel"]
        # Names of panels may have points in them, as those of layers do.
        if any(inside == own or ("." in own and inside.startswith(f"{own}.")) for own in known):
            continue
        if name not in known:
            raise ValueError(f"the caption has {slot[0]}, but the panels are {', '.join(known)}.")
        if not known[name].lists:
            raise ValueError(f"the caption has {slot[0]}, but {name!r} is no list of units: use {{{name}}}.")
        if not re.fullmatch(SLOT, slot[0]):
            raise ValueError(
                f"the caption has {slot[0]}; expected {{{name}}}, {{{name}.1}} or {{{name}.1.value}}."
            )
