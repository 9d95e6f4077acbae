"""The folder where the processes of one user meet: sockets, locks and logs, and no other user."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from linenotes.project import ModelError

_VARIABLE = "LINENOTES_RUNTIME_DIR"
_LONGEST = 74
"""Bytes of the folder's path that leave room for a socket's name; macOS allows 103 in all."""


def runtime_folder() -> Path:
    """Return the folder, made if need be.

    It is `LINENOTES_RUNTIME_DIR`, else `linenotes` in the system's folder for this user's running
    processes, else `linenotes-UID` in the folder for temporary files.

    Raises:
        ModelError: the folder cannot be made or is open to others, or its path is too long.
    """
    folder = next((one for one in _candidates() if len(os.fsencode(one)) <= _LONGEST), None)
    if folder is None:
        raise ModelError(
            f"{_VARIABLE}={os.environ[_VARIABLE]!r} is too long for the path of a Unix socket. "
            f"Name a folder with at most {_LONGEST} bytes."
        )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise ModelError(
            f"The folder {folder} cannot be used: {error}. Set {_VARIABLE} to another."
        ) from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ModelError(
            f"The folder {folder} is open to others or not yours, so the embedded model is not "
            f"served there. Remove it, or set {_VARIABLE} to another."
        )
    return folder


def _candidates() -> list[Path]:
    named = os.environ.get(_VARIABLE)
    if named:
        return [Path(named).absolute()]
    ours = f"linenotes-{os.getuid()}"
    places = [Path(tempfile.gettempdir(), ours), Path("/tmp", ours)]  # noqa: S108  0700 and ours
    session = Path(os.environ.get("XDG_RUNTIME_DIR") or os.devnull)
    if session.is_dir() and session.stat().st_uid == os.getuid() and os.access(session, os.W_OK):
        places.insert(0, session / "linenotes")
    return places
