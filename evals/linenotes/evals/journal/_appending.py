"""A file that only grows, by whole lines."""

from __future__ import annotations

import errno
import mmap
import os
from io import FileIO
from pathlib import Path
from typing import Self


class AppendOnlyFile:
    """Appends lines, each whole or not at all. What was written, the operating system holds."""

    def __init__(self, path: Path) -> None:
        """Open the file, and make it if it is not there.

        Raises:
            OSError: it cannot be written.
        """
        # Unbuffered: a line that was written outlives the process.
        self._file = FileIO(path, "ab+")

    @property
    def descriptor(self) -> int:
        """The open file, for locks."""
        return self._file.fileno()

    def append(self, line: bytes) -> int:
        """Write a line and return where it begins, in bytes.

        Raises:
            OSError: there is no room or no right to write; the file is as before.
        """
        end = self._file.seek(0, os.SEEK_END)
        if self._file.write(line) != len(line):
            self._file.truncate(end)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return end

    def cut_torn_line(self) -> int:
        """Cut what follows the last newline, which a crash left unfinished; return its bytes."""
        if not self._file.seek(0, os.SEEK_END):
            return 0
        with mmap.mmap(self.descriptor, 0, access=mmap.ACCESS_READ) as content:
            whole = content.rfind(b"\n") + 1
        return self.cut(whole)

    def cut(self, length: int) -> int:
        """Cut the file to `length` bytes, and return how many more it had."""
        excess = self._file.seek(0, os.SEEK_END) - length
        if excess > 0:
            self._file.truncate(length)
        return max(0, excess)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
