"""Runs a command that must not outlive the process that asked for it.

`python _process_guard.py COMMAND...` starts the command in a process group of its own and ends
the group as soon as standard input closes, which the system does when whoever holds the other end
of the pipe ends, in whatever way. The guard ends when the command does. It is run as a file and
imports the standard library only, so that it starts at once.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

GRACE_SECONDS = 5.0
"""How long a command may take to end by itself before it is killed."""


def main(command: list[str]) -> int:
    """Run `command` until it ends or standard input closes, and return its exit status."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603  the caller's own command
    signal.signal(signal.SIGTERM, lambda *_: _end(child))
    threading.Thread(target=_end_at_eof, args=(child,), daemon=True).start()
    status = child.wait()
    _send(child, signal.SIGKILL)  # what the command left behind
    return status


def _end_at_eof(child: subprocess.Popen[bytes]) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    _send(child, signal.SIGTERM)
    killer = threading.Timer(GRACE_SECONDS, _send, args=(child, signal.SIGKILL))
    killer.daemon = True
    killer.start()


def _send(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
