"""The Ray cluster that executes samples: one of this machine for the time, or an existing one.

Ray is imported only here and when it is used. A cluster of our own listens on the loopback
interface alone, without its dashboard. To an existing one the project's folder is sent, but for
what git ignores and what holds secrets: keys of models are in the environment of its nodes.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from linenotes.evals.engine._conduct import Conduct
from linenotes.project import Project, RunError, keep_offline, without_credentials

if TYPE_CHECKING:
    from types import ModuleType

_OBJECTS = 128 * 2**20
"""Bytes of shared memory for samples on their way; what is in flight is all that it holds."""
_OWN = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # addresses on the loopback
    "RAY_AUTH_TOKEN": secrets.token_hex(32),  # else it is kept on the disk
}
"""For a cluster of ours. Ray reads the token once a process, so there is one."""
_JOINED = {"RAY_NUM_REDIS_GET_RETRIES": "2"}
"""For one that is there: else Ray tries for many minutes to reach it."""
_NOT_SENT = [".git", ".linenotes", ".venv", ".env", ".env.*", "**/__pycache__"]


@contextmanager
def ray_cluster(conduct: Conduct, project: Project) -> Iterator[None]:
    """Return a block in which Ray is at hand; one that the caller has started is used and left on.

    Raises:
        RunError: Ray is not installed, or the cluster cannot be reached.
    """
    keep_offline()
    own = _OWN if conduct.ray_address is None else _JOINED
    with _in_environment(own):
        ray = _imported()
        if ray.is_initialized():
            yield
            return
        with _signals_restored():
            _start(ray, conduct, project)
        try:
            yield
        finally:
            with _signals_restored():
                ray.shutdown()


@contextmanager
def _in_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set what Ray and its processes read, where the user has not, and take it back."""
    missing = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(missing)
    try:
        yield
    finally:
        for name in missing:
            os.environ.pop(name, None)


def _start(ray: ModuleType, conduct: Conduct, project: Project) -> None:
    quiet = {"logging_level": logging.ERROR}
    if conduct.ray_address is None:
        ray.init(
            address="local",
            num_cpus=conduct.workers,
            include_dashboard=False,
            object_store_memory=_OBJECTS,
            **quiet,
        )
        return
    sent = {"working_dir": str(project.root), "excludes": _NOT_SENT}
    try:
        ray.init(address=conduct.ray_address, runtime_env=sent, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = without_credentials(conduct.ray_address)
        raise RunError(
            f"The Ray cluster at {where!r} cannot be joined: {str(error).rstrip('.')}. Check that "
            "it is up, that it has the Ray and the Python of this machine, and that "
            "RAY_AUTH_MODE=token and RAY_AUTH_TOKEN are set if it asks for a token."
        ) from error


def _imported() -> ModuleType:
    try:
        import ray
    except ImportError as error:
        raise RunError(
            f"The executor 'ray' needs Ray ({error}). Install it: pip install 'linenotes[ray]'."
        ) from error
    return ray


@contextmanager
def _signals_restored() -> Iterator[None]:
    """Leave SIGTERM as it was: Ray takes it, and does not give it back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None:  # a handler that no Python code has set cannot be set by any
            signal.signal(signal.SIGTERM, before)
