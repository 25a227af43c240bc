"""A Board as one HTML file that needs no kernel and no network."""

import html
import json
from collections.abc import Sequence

from lucid_ext.board import Board
from lucid_ext.widgets.bundle import page_script
from lucid_ext.widgets.payload import payload

ICON_SIZE = 64

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; \
style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
html {{ background: #fff; }}
body {{ margin: 0; }}
#lx-host {{ max-width: 1120px; margin: 0 auto; }}
@media (prefers-color-scheme: dark) {{ html {{ background: #17181b; }} }}
</style>
</head>
<body>
<main id="lx-host"></main>
<script type="application/json" id="lx-state">{state}</script>
<script type="module">
{script}
</script>
</body>
</html>
"""

# An iframe whose page tells its height; the pages around it are executed notebooks.
FRAME = """<iframe srcdoc="{page}" title="{title}" \
style="width: 100%; height: 720px; border: 0"></iframe>
<script>
(() => {{
  const frame = document.currentScript.previousElementSibling;
  addEventListener("message", (event) => {{
    const height = event.data && event.data.lucidExtHeight;
    if (event.source === frame.contentWindow && Number.isFinite(height)) frame.style.height = `${{height}}px`;
  }});
}})();
</script>"""


def page(boards: Sequence[Board]) -> str:
    """The whole page: the first board is shown, the others are offered by controls."""
    state = json.dumps({"payload": payload(boards, controls=True, icon_size=ICON_SIZE)})
    # "</script" in a label would end the element, "<!--" would hide its end.
    state = state.replace("<", "\\u003c")
    return PAGE.format(title=html.escape(boards[0].title), state=state, script=page_script())


def frame(boards: Sequence[Board]) -> str:
    """The page inside an iframe, for the HTML of an executed notebook."""
    return FRAME.format(page=html.escape(page(boards)), title=html.escape(boards[0].title))
