"""Text as markup: the one way in which anything written or named by somebody enters HTML or SVG."""

import html
import re

NO_CHARACTER = re.compile("[\x00\ud800-\udfff]")  # not in HTML, not in UTF-8


def escaped(text: object) -> str:
    """Return a text for HTML, between tags or in a quoted attribute: it shows as what it is."""
    return html.escape(NO_CHARACTER.sub("\ufffd", str(text)))
