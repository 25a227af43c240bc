"""Files that are there whole or not at all, and the folder they are kept in."""

import contextlib
import os
import tempfile
import time
from pathlib import Path

UNFINISHED, SUFFIX = ".lucid_ext-", ".part"  # how files that are being written begin and end
ABANDONED = 3600  # seconds after which nobody is writing such a file any more


def cache_folder() -> Path:
    """Where things are kept between runs: `$LUCID_EXT_CACHE`, or else the user's cache folder."""
    import pooch

    return Path(os.environ.get("LUCID_EXT_CACHE") or pooch.os_cache("lucid_ext"))


def write_atomically(path: str | os.PathLike, data: bytes) -> None:
    """Write a file beside its place and move it there: a reader sees the old one or the new one.

    What a killed process left unfinished in the same folder an hour ago or more is cleared away.

    Raises:
        OSError: as writing does; nothing is left behind, and what was there before stays.
    """
    path = Path(path)
    temporary = None
    _clear(path.parent)
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=UNFINISHED, suffix=SUFFIX, delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(data)
        temporary.chmod(0o666 & ~_umask())  # a temporary file is for its owner alone
        os.replace(temporary, path)
    except BaseException:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        raise


def _clear(folder: Path) -> None:
    for left in folder.glob(f"{UNFINISHED}*{SUFFIX}"):
        with contextlib.suppress(OSError):  # another process may be faster
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink()


def _umask() -> int:
    # It can only be read by setting it.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
