"""Files that are there whole or not at all, and the folder they are kept in."""

import contextlib
import os
import secrets
import time
from pathlib import Path

UNFINISHED, SUFFIX = ".lucid_ext-", ".part"  # how files that are being written begin and end
ABANDONED = 3600  # seconds after which nobody is writing such a file any more


def cache_folder() -> Path:
    """Return where things are kept between runs: `$LUCID_EXT_CACHE`, or else the user's cache folder."""
    import pooch

    return Path(os.path.expanduser(os.environ.get("LUCID_EXT_CACHE") or pooch.os_cache("lucid_ext")))


def write_file(path: str | os.PathLike, data: bytes) -> Path:
    """Write a file that a reader asked for: the whole of it, or what was there before stays.

    Where the path is a symbolic link, the file it leads to is written.

    Returns:
        The path.

    Raises:
        ValueError: one sentence: it cannot be written, and why.
    """
    try:
        if os.path.lexists(path) and not (os.path.isfile(path) or os.path.islink(path)):
            raise OSError("it is no file")
        write_atomically(os.path.realpath(path), data)
    except (OSError, ValueError) as error:  # a ValueError: a name no system takes
        what = getattr(error, "strerror", None) or error
        raise ValueError(
            f"{os.fspath(path)} cannot be written ({what}); give another path, or free some space."
        ) from error
    return Path(path)


def write_atomically(path: str | os.PathLike, data: bytes) -> None:
    """Write a file beside its place and move it there: a reader sees the old one or the new one.

    What a killed process left unfinished in the same folder an hour ago or more is cleared away.

    Raises:
        OSError: as writing does; nothing is left behind, and what was there before stays.
    """
    path = Path(path)
    _clear(path.parent)
    temporary = path.with_name(f"{UNFINISHED}{secrets.token_hex(8)}{SUFFIX}")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _clear(folder: Path) -> None:
    for left in folder.glob(f"{UNFINISHED}*{SUFFIX}"):
        with contextlib.suppress(OSError):  # another process may be faster
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink()
