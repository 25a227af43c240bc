"""A Board as one HTML file that needs no kernel and no network."""

import base64
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lucid_ext.board import Board
from lucid_ext.storage.files import write_file
from lucid_ext.storage.markup import escaped
from lucid_ext.widgets.bundle import board_css, page_script
from lucid_ext.widgets.payload import payload

OFFLINE = "LUCID_EXT_OFFLINE"
"""When this environment variable is set, what is shown is an offline page instead of a widget."""

ICON_SIZE = 64

STYLE = """
html { background: #fff; }
body { margin: 0; }
#lx-host { max-width: 1120px; margin: 0 auto; }
@media (prefers-color-scheme: dark) { html { background: #17181b; } }
"""

# What a page may do: run the one script it was written with, and nothing from anywhere else.
POLICY = (
    "default-src 'none'; script-src {script}; style-src {styles}; img-src data:; base-uri 'none'; "
    "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main id="lx-host"></main>
<script type="application/json" id="lx-state">{state}</script>
<script type="module">{script}</script>
</body>
</html>
"""

# An iframe whose page tells its height; the pages around it are executed notebooks. Its page reaches
# nothing of theirs.
FRAME = """<iframe sandbox="allow-scripts allow-downloads" srcdoc="{page}" title="{title}" \
style="width: 100%; height: 720px; border: 0"></iframe>
<script>
(() => {{
  const frame = document.currentScript.previousElementSibling;
  addEventListener("message", (event) => {{
    const height = event.data && event.data.lucidExtHeight;
    const taken = event.source === frame.contentWindow && height > 0 && height <= {max_height};
    if (taken) frame.style.height = `${{height}}px`;
  }});
}})();
</script>"""
MAX_HEIGHT = 20_000  # pixels


def page(boards: Sequence[Board]) -> str:
    """Return the whole page: the first board is shown, the others are offered by controls."""
    state = json.dumps({"payload": payload(boards, controls=True, icon_size=ICON_SIZE)})
    script = f"\n{page_script()}\n"
    styles = " ".join(map(_hash, (STYLE, board_css())))
    return PAGE.format(
        policy=POLICY.format(script=_hash(script), styles=styles),
        title=escaped(boards[0].title),
        style=STYLE,
        # "</script" in a label would end the element, "<!--" would hide its end.
        state=state.replace("<", "\\u003c"),
        script=script,
    )


def frame(boards: Sequence[Board]) -> str:
    """Return the page inside an iframe, for the HTML of an executed notebook."""
    text = escaped(page(boards))
    return FRAME.format(page=text, title=escaped(boards[0].title), max_height=MAX_HEIGHT)


def write_page(boards: Sequence[Board], path: str | os.PathLike) -> Path:
    """Write the whole page, or nothing; returns its path.

    Raises:
        ValueError: it cannot be written; what was there before stays.
    """
    return write_file(path, page(boards).encode())


def offline_bundle(shown: Any, boards: Callable[[], Sequence[Board]]) -> dict[str, str] | None:
    """Return what a cell that ends with `shown` displays where no widgets are wanted; else None."""
    if not os.environ.get(OFFLINE):
        return None
    return {"text/html": frame(boards()), "text/plain": repr(shown)}


def _hash(text: str) -> str:
    """How a policy names a script or a style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
