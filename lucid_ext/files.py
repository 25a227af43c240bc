"""Files that are there whole or not at all, and the folder they are kept in."""

import contextlib
import os
import tempfile
from pathlib import Path


def cache_folder() -> Path:
    """Where things are kept between runs: `$LUCID_EXT_CACHE`, or else the user's cache folder."""
    import pooch

    return Path(os.environ.get("LUCID_EXT_CACHE") or pooch.os_cache("lucid_ext"))


def write_atomically(path: str | os.PathLike, data: bytes) -> None:
    """Write a file beside its place and move it there: a reader sees the old one or the new one.

    Raises:
        OSError: as writing does; nothing is left behind, and what was there before stays.
    """
    path = Path(path)
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".part", delete=False) as file:
            temporary = Path(file.name)
            file.write(data)
        temporary.chmod(0o666 & ~_umask())  # a temporary file is for its owner alone
        os.replace(temporary, path)
    except BaseException:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        raise


def _umask() -> int:
    # It can only be read by setting it.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
