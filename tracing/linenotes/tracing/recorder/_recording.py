"""One recording, from the moment a `record()` block begins to its trace."""

from __future__ import annotations

import logging
import secrets
import traceback
import warnings
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING

from langchain_core.tracers.context import register_configure_hook
from langgraph.errors import GraphBubbleUp

from linenotes.project import Project, Redactor, RedactorWithMemory
from linenotes.tracing._prices import Prices
from linenotes.tracing._trace import Trace, storable
from linenotes.tracing.recorder._clock import steady_clock
from linenotes.tracing.recorder._content import error_text
from linenotes.tracing.recorder._conversation import Conversation
from linenotes.tracing.recorder._listener import Listener
from linenotes.tracing.recorder._live_log import LiveHeader, LiveLog
from linenotes.tracing.recorder._live_notes import LiveNotes
from linenotes.tracing.recorder._runs import new_span_id
from linenotes.tracing.recorder._span_builder import Recorded, build_trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from linenotes.tracing._ledger import Message

_LOG = logging.getLogger(__name__)
_OUTSIDER = "assistant"
_listener: ContextVar[Listener | None] = ContextVar("linenotes_listener", default=None)
register_configure_hook(_listener, inheritable=True)


class Announcer:
    """Tells the user's function of messages, until it fails once."""

    def __init__(
        self, on_message: Callable[[Message], None] | None, redactor: RedactorWithMemory
    ) -> None:
        self._on_message = on_message
        self._redactor = redactor
        self._failure: Exception | None = None

    def __call__(self, message: Message) -> None:
        if self._on_message is None or self._failure is not None:
            return
        try:
            self._on_message(self._redactor.value(message))
        except Exception as error:  # noqa: BLE001  raised again outside of LangChain's callbacks
            self._failure = error

    def raise_failure(self) -> None:
        """Raise what the user's function raised, if it did."""
        if self._failure is not None:
            raise self._failure


class Recording:
    """What one block has heard so far."""

    def __init__(
        self,
        *,
        agent: str | None,
        case: str | None,
        sample: int | None,
        trace_id: str | None,
        on_message: Callable[[Message], None] | None,
        project: Project | None = None,
        durable: bool = False,
        clock: Callable[[], int] | None = None,
    ) -> None:
        clock = clock or steady_clock()
        self.trace_id = trace_id or f"tr-{secrets.token_hex(16)}"
        project = project or Project.here()
        self.redactor = RedactorWithMemory(Redactor.current(project))
        """Masks all that the recording gives away, to whomever."""
        self.announcer = Announcer(on_message, self.redactor)
        self._agent, self._case, self._sample = agent, case, sample
        self._clock = clock
        self._start_ns = clock()
        self._conversation = Conversation(
            agent or _OUTSIDER,
            self.announcer if on_message else None,
            Prices(project),
        )
        self._root_id = new_span_id()
        self._listener = Listener(self._conversation, clock)
        self._live = self._note_live(project.live) if project and durable else None

    def _note_live(self, folder: Path) -> LiveNotes:
        """Let a file in `folder` follow what is heard."""
        header = LiveHeader(
            trace_id=self.trace_id,
            root_id=self._root_id,
            agent=self._agent,
            case=self._case,
            sample=self._sample,
            start_ns=self._start_ns,
        )
        log = LiveLog(folder, header, self.redactor)
        notes = LiveNotes(log, self._listener, self._conversation)
        self._listener.after_event = notes.heard
        return notes

    @property
    def listener(self) -> Listener:
        """Who hears the events, of graphs that run now or of what is told of earlier ones."""
        return self._listener

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear what runs in this context."""
        token = _listener.set(self._listener)
        try:
            yield
        finally:
            with suppress(ValueError):  # a generator may be closed in a context of its own
                _listener.reset(token)

    def messages(self) -> tuple[Message, ...]:
        """Return the messages so far."""
        with self._listener.lock:
            rows = tuple(row.to_message() for row in self._conversation.rows)
        return self.redactor.refreshed().value(rows)

    def trace(self, error: BaseException | None = None, end_ns: int | None = None) -> Trace:
        """Return the trace so far."""
        listener = self._listener
        with listener.lock:
            built = build_trace(
                Recorded(
                    trace_id=self.trace_id,
                    agent=self._agent,
                    case=self._case,
                    sample=self._sample,
                    runs=listener.log.runs,
                    roots=listener.log.roots,
                    rows=self._conversation.rows,
                    start_ns=self._start_ns,
                    end_ns=end_ns,
                    error=error or _failure(listener),
                    interrupted=listener.interrupted,
                    root_id=self._root_id,
                )
            )
        redactor = self.redactor.refreshed()
        return built if redactor.lets_through(built) else redactor.value(storable(built))

    def finish(self, error: BaseException | None) -> Trace:
        """Stop listening, announce what is left, and return the whole trace."""
        with self._listener.lock:
            ended = None if isinstance(error, GeneratorExit) else error
            try:
                self._conversation.close(self._listener.log.running_tasks())
            except Exception as defect:  # noqa: BLE001  what was recorded is no less true
                self._listener.defects.append(defect)
            trace = self._whole_trace(ended)
            self._listener.close()
            self._conversation.forget()
        self._report(self._listener.defects)
        if self._live is not None and (lack := self._live.shortcoming):
            warnings.warn(lack, RuntimeWarning, stacklevel=2)
        return trace

    def _whole_trace(self, error: BaseException | None) -> Trace:
        """Return the trace at its end; a bare one where a stranger's values defeat it."""
        end_ns = self._clock()
        try:
            trace = self.trace(error, end_ns)
        except Exception as defect:  # noqa: BLE001  a graph must not fail because it is watched
            self._listener.defects.append(defect)
            trace = self._bare_trace(error or _failure(self._listener), end_ns)
        if self._live is not None:
            try:
                self._live.finish(trace)
            except Exception as defect:  # noqa: BLE001  as above
                self._listener.defects.append(defect)
        return trace

    def _bare_trace(self, error: BaseException | None, end_ns: int) -> Trace:
        messages = []
        for row in self._conversation.rows:
            with suppress(Exception):
                messages.append(row.to_message())
        bare = Trace(
            trace_id=self.trace_id,
            name=self._agent or "agent",
            state="ERROR" if error else "OK",
            start_ns=self._start_ns,
            end_ns=end_ns,
            request="",
            response="",
            spans=(),
            messages=tuple(messages),
            case=self._case,
            sample=self._sample,
            error=error_text(error) if error else None,
        )
        try:
            return self.redactor.value(storable(bare))
        except Exception as defect:  # noqa: BLE001  as above
            self._listener.defects.append(defect)
            return replace(bare, messages=())

    def _report(self, defects: list[Exception]) -> None:
        for defect in defects:
            told = self.redactor.text("".join(traceback.format_exception(defect)))
            _LOG.error("The recorder failed on an event.\n%s", told)
        if defects:
            first = self.redactor.text(repr(defects[0]))
            warnings.warn(
                f"The recorder failed on {len(defects)} events, so trace {self.trace_id} may lack "
                f"messages or spans. The first failure: {first}.",
                RuntimeWarning,
                stacklevel=2,
            )


def _failure(listener: Listener) -> BaseException | None:
    """Return the exception that the last graph ended with."""
    roots = listener.log.roots
    error = roots[-1].error if roots else None
    return None if isinstance(error, GraphBubbleUp) else error
