"""What the cells of a notebook show: kept while they show it, ended when they are run again without it."""

from typing import TYPE_CHECKING, Any

from IPython import get_ipython

if TYPE_CHECKING:
    from lucid_ext.live.interface import Interface

LATEST = ("_", "__", "___")  # what IPython calls the latest results of cells


class Outputs:
    """What each cell shows, as long as it does.

    A cell is known by its id, or by its text where the notebook does not tell its id.
    """

    def __init__(self, shell: Any):
        """Listen to the cells of an IPython shell, the present one included."""
        self._shell = shell
        self._shown: dict[str, list[Interface]] = {}
        self._running: list[tuple[str, list[Interface]]] = [(_present_cell(shell), [])]
        shell.events.register("pre_run_cell", self._begin)
        shell.events.register("post_run_cell", self._end)

    def keep(self, interface: "Interface") -> None:
        """Keep what the present cell shows."""
        cell = self._running[-1][0] if self._running else ""
        shown = self._shown.setdefault(cell, [])
        if not _among(interface, shown):
            shown.append(interface)

    def drop(self, interface: "Interface") -> None:
        """Keep an interface no more; IPython, which has kept it as the result of a cell, neither."""
        for cell, shown in list(self._shown.items()):
            self._shown[cell] = [other for other in shown if other is not interface]
        results, hook = self._shell.user_ns.get("_oh", {}), self._shell.displayhook
        counts = [count for count, result in results.items() if result is interface]
        for count in counts:
            del results[count]
        for names in (self._shell.user_ns, self._shell.user_ns_hidden, vars(hook)):
            for name in (*LATEST, *(f"_{count}" for count in counts)):
                if names.get(name) is interface:
                    names[name] = ""

    def _begin(self, info: Any) -> None:
        text = info.raw_cell.strip()
        cell = getattr(info, "cell_id", None) or text
        known = dict.fromkeys((cell, text))  # the first one was perhaps known by its text alone
        self._running.append((cell, [one for name in known for one in self._shown.pop(name, [])]))

    def _end(self, _: Any) -> None:
        before = self._running.pop()[1] if self._running else []
        for interface in before:
            if not any(_among(interface, shown) for shown in self._shown.values()):
                interface.close()


def outputs() -> Outputs | None:
    """Return the outputs of the notebook this runs in; None where it is no notebook."""
    shell = get_ipython()
    if shell is None:
        return None
    found = getattr(shell, "lucid_ext_outputs", None)
    if found is None:
        found = shell.lucid_ext_outputs = Outputs(shell)
    return found


def _present_cell(shell: Any) -> str:
    """By what the cell is known that is being run."""
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return parent.get("metadata", {}).get("cellId") or shell.history_manager.input_hist_raw[-1].strip()


def _among(interface: "Interface", shown: "list[Interface]") -> bool:
    return any(other is interface for other in shown)
