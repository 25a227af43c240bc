"""A browser's tab that takes note of whatever a page should not do."""

import pytest

WATCH = """
window.ran = [];
for (const name of ["alert", "confirm", "prompt", "open", "print"]) window[name] = () => ran.push(name);
window.PWNED = () => window.ran.push("called");
"""


@pytest.fixture
def watched(chromium):
    """A tab without a network, `watched.tab`, and what was tried in it."""

    class Watched:
        def __init__(self):
            self.context = chromium.new_context(viewport={"width": 1100, "height": 900})
            self.context.set_offline(True)
            self.context.add_init_script(WATCH)
            self.tab = self.context.new_page()
            self.requests: list[str] = []
            self.errors: list[str] = []
            self.tab.on("request", lambda r: self.requests.append(r.url))
            self.tab.on("pageerror", lambda e: self.errors.append(str(e)))
            self.tab.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)

        def ran(self):
            return self.tab.evaluate("window.ran")

        def asked_for(self):
            """What was requested but for the page itself and the pictures in it."""
            return [url for url in self.requests if not url.startswith(("file:", "data:image/webp", "blob:"))]

    made = Watched()
    yield made
    made.context.close()
