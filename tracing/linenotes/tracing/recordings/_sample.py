"""The sample that is being executed with recordings: what its calls are known by.

A context variable carries it, and the innermost call that is being made. So a model that calls
itself by another method is one call, and whatever a tool calls in turn is known as inside of it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeVar

from linenotes.project import RecordingError, Redactor, RedactorWithMemory
from linenotes.tracing._admission import recordings_decide
from linenotes.tracing.recordings._drawer import Drawer
from linenotes.tracing.recordings._library import Library
from linenotes.tracing.recordings._network_guard import Target, network_guarded, network_overheard
from linenotes.tracing.recordings._places import (
    Ear,
    ear,
    metadata_here,
    names_in,
    namespace_here,
    own_name,
    path_of,
)
from linenotes.tracing.recordings._recorded_call import CallKey, CallKind
from linenotes.tracing.recordings._rendering import Request

T = TypeVar("T")


@dataclass(eq=False)
class Frame:
    """A call that is being made."""

    owner: object
    """The model or the tool."""
    outer: Frame | None
    path: str
    """The agent's path, and this call."""
    namespace: tuple[str, ...]
    """LangGraph's, where it is made."""
    is_open: bool = False
    """Whether it may use the network although samples are replayed."""
    has_calls: bool = False
    """Whether it turned out to be code: a graph or other calls run in it."""
    sent_to: set[Target] = field(default_factory=set)
    """Where it sent something itself, while that is heard."""

    def note_inside(self) -> None:
        """Note, for it and all around it, that something runs inside that is recorded itself."""
        frame: Frame | None = self
        while frame is not None and not frame.has_calls:
            frame.has_calls = True
            frame = frame.outer


current_frame: ContextVar[Frame | None] = ContextVar("linenotes_recorded_frame", default=None)


@dataclass(eq=False)
class SampleRecordings:
    """One execution of a sample, with its recordings."""

    library: Library
    drawer: Drawer
    case: str
    index: int
    refusals: list[RecordingError] = field(default_factory=list)
    """Calls that were refused, whatever the agent made of that."""
    replayed: set[str] = field(default_factory=set)
    """Ids of the messages that came from recordings."""
    heard: Ear = field(default_factory=Ear)
    redactor: RedactorWithMemory = field(init=False)
    _ordinals: Counter[CallKey] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.redactor = RedactorWithMemory(Redactor.current(self.library.project))

    def key(self, kind: CallKind, request: Request) -> CallKey:
        """Return what the next call that asks this is known by."""
        fingerprint, path = request.fingerprint, self.path_here()
        key = CallKey(self.case, self.index, path, kind, request.model, fingerprint, 0)
        with self._lock:
            ordinal = self._ordinals[key]
            self._ordinals[key] += 1
        return key._replace(ordinal=ordinal)

    def path_here(self) -> str:
        """Return the path of the agent that this code belongs to."""
        frame, parts = current_frame.get(), namespace_here()
        if frame is None:
            return "/".join(path_of(parts, self.heard, numbers=True)) or own_name()
        if parts[: len(frame.namespace)] == frame.namespace:
            parts = parts[len(frame.namespace) :]
        return "/".join([frame.path, *path_of(parts, self.heard, numbers=False)])

    def live_name(self, path: str) -> str | None:
        """Return by which name the agents of a path are to be called for real, if they are."""
        wanted = self.library.policy.live
        if not wanted:
            return None
        names = {*names_in(path), str(metadata_here().get("lc_agent_name"))}
        found = next((name for name in wanted if name in names), None)
        if found is not None:
            self.library.note_live(found)
        return found

    def refuse(self, error: RecordingError) -> RecordingError:
        """Keep an error for the end of the sample, since an agent may swallow it."""
        self.refusals.append(error)
        return error

    def raise_refusal(self) -> None:
        """Raise the first error of a call that was refused, if there is one."""
        if self.refusals:
            raise self.refusals[0]

    def overhear(self, target: Target) -> None:
        """Note what is sent to `target` from here, unless a recording will stand in for it."""
        frame = current_frame.get()
        if frame is not None:
            frame.sent_to.add(target)  # whether it is code, which runs again, its end will tell
        elif not self.live_name(self.path_here()):
            self.note_unrecorded([target])

    def note_unrecorded(self, targets: Iterable[Target]) -> None:
        """Note where this sample sent something that no recording will stand in for."""
        self.library.note_unrecorded(self.case, self.index, targets)

    def objection(self, target: Target) -> RecordingError | None:
        """Return why nothing may be sent to `target` from here; None where it may."""
        frame = current_frame.get()
        path = self.path_here()
        if (frame is not None and frame.is_open) or self.live_name(path):
            return None
        return self.refuse(
            RecordingError(
                f"Case {self.case!r} sample {self.index}: {path} sends to {target} during a "
                "replay. That call does not go through a LangChain chat model or tool, so there "
                "is no recording of it. Make it in a tool, name the tool in `run-tools` or the "
                "host in `allowed-hosts` of [tool.linenotes.recordings], or use --live "
                f"{path.rpartition('/')[2].partition('[')[0]}."
            )
        )


current: ContextVar[SampleRecordings | None] = ContextVar("linenotes_recordings", default=None)


@contextmanager
def sample_in_force(library: Library, case: str, index: int) -> Iterator[SampleRecordings]:
    """Let the calls of the code inside the block meet the recordings of a sample."""
    with ExitStack() as stack:
        drawer = stack.enter_context(library.drawer(case, index))
        sample = SampleRecordings(library, drawer, case, index)
        if library.policy.is_closed:
            stack.enter_context(network_guarded(sample.objection, library.allowed_hosts))
        if library.policy.records:
            stack.enter_context(network_overheard(sample.overhear, library.allowed_hosts))
        stack.enter_context(_set(current, sample))
        stack.enter_context(_set(ear, sample.heard))
        stack.enter_context(_set(recordings_decide, True))
        stack.enter_context(_set(current_frame, None))
        yield sample


@contextmanager
def _set(variable: ContextVar[T], value: T) -> Iterator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)
