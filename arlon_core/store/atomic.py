"""Files that are either the old ones or the new ones, never half of each."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PARTIAL_SUFFIX = ".partial"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write to, made ``path`` when the block ends well, removed when it raises.

    The file exists, empty, with the permissions that the umask leaves of 0666. Its name keeps the suffix of
    ``path``, since some writers choose the format by it. Raises OSError as the file system does; whatever
    happens, ``path`` holds either what it held before or the whole of the new content.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    partial = path.with_name(f".{path.stem[:80]}.{secrets.token_hex(4)}{PARTIAL_SUFFIX}{path.suffix}")
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield partial
        _sync(partial)
        os.replace(partial, path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
    if os.name == "posix":
        _sync(path.parent)  # the rename itself survives a power cut only when its folder is synced


def is_partial(path: Path) -> bool:
    """Whether ``path`` is what a killed writer left behind."""
    return path.name.startswith(".") and PARTIAL_SUFFIX in path.name


def os_reason(error: OSError) -> str:
    """What went wrong and how to mend it, in a few words to end a sentence with."""
    mends = {
        errno.ENOSPC: "the disk is full; free some space",
        errno.EDQUOT: "the disk quota is used up; free some space",
        errno.EFBIG: "the file would be too large for this disk; free some space or choose another folder",
        errno.EACCES: "permission is denied; choose a folder you may write to",
        errno.EPERM: "permission is denied; choose a folder you may write to",
        errno.EROFS: "the disk is read-only; choose another folder",
        errno.ENOENT: "its folder does not exist; make the folder first",
        errno.ENOTDIR: "a part of its path is a file; choose another path",
        errno.EISDIR: "it is a folder; give the path of a file",
        errno.ENAMETOOLONG: "its name is too long; choose a shorter one",
    }
    known = mends.get(error.errno) if error.errno is not None else None
    return known or f"{error.strerror or error}; choose another place"


def _sync(path: Path) -> None:
    # The descriptor need not be the one that wrote: fsync is about the file, not about the descriptor.
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
