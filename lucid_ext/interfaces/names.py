"""Names that readers gave: kept by what they are of, in a file or for as long as the process lives."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from lucid_ext.files import write_file


class Names:
    """{what the units are of: {unit: name}}, read once and written whole at each change."""

    def __init__(self, path: str | os.PathLike | None = None):
        """Read a file of names, if there is one.

        Args:
            path: of a JSON file; None keeps names in memory alone.

        Raises:
            ValueError: the file is none of names.
        """
        self.path = None if path is None else Path(path).expanduser()
        self._names: dict[str, dict[str, str]] = {}
        if self.path is None or not self.path.exists():
            return
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            self._names = {
                str(of): {str(int(unit)): str(name) for unit, name in names.items()}
                for of, names in found.items()
            }
        except (OSError, ValueError, AttributeError) as error:
            raise ValueError(f"{self.path} is no file of names: give another path, or remove it.") from error

    def of(self, units: str) -> Mapping[int, str]:
        """The names given to some units."""
        return {int(unit): name for unit, name in self._names.get(units, {}).items()}

    def give(self, units: str, unit: int, name: str) -> None:
        """Name a unit."""
        names = {**self._names, units: {**self._names.get(units, {}), str(unit): name}}
        if self.path is not None:
            text = json.dumps(names, ensure_ascii=False, indent=1, sort_keys=True)
            write_file(self.path, text.encode())
        self._names = names
