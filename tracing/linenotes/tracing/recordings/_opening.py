"""The door of recordings: a library for an evaluation, and a block for each of its samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from linenotes.project import Project
from linenotes.tracing.recordings._library import Library
from linenotes.tracing.recordings._policy import RecordingPolicy

if TYPE_CHECKING:
    from linenotes.tracing.recordings._sample import SampleRecordings


def open_recordings(
    project: Project,
    policy: RecordingPolicy,
    *,
    dataset: str,
    agent: str,
    is_answer: Callable[[BaseException], bool],
    own_hosts: Iterable[str] = (),
) -> Library:
    """Return the recordings of `agent` on `dataset`, for a `with` block.

    Args:
        project: where they are, and what is redacted in them.
        policy: whether calls are replayed, made, recorded.
        dataset: its name.
        agent: its name.
        is_answer: tells an exception that a model or a tool answered with from a failure of
            the infrastructure, which is never recorded.
        own_hosts: what may be reached during a replay besides what the settings allow.

    Raises:
        RecordingError: what an earlier process left cannot be put into the file.
    """
    _wrap_once()
    return Library(
        project,
        policy,
        dataset=dataset,
        agent=agent,
        is_answer=is_answer,
        own_hosts=own_hosts,
    )


@contextmanager
def recordings_in_use() -> Iterator[None]:
    """Mark the code of an evaluation: what lacks the mark while samples replay has lost it."""
    from linenotes.tracing.recordings._network_guard import context_kept

    with context_kept():
        yield


@contextmanager
def sample_recordings(library: Library, case: str, index: int) -> Iterator[SampleRecordings]:
    """Let the calls of the code inside the block meet the recordings of a sample."""
    from linenotes.tracing.recordings._sample import sample_in_force

    with sample_in_force(library, case, index) as sample:
        yield sample


@cache
def _wrap_once() -> None:
    from linenotes.tracing.recordings._chat_models import wrap_chat_models
    from linenotes.tracing.recordings._tools import wrap_tools

    wrap_chat_models()
    wrap_tools()
