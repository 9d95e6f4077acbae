"""One call of a model or a tool: replayed, refused, or made and recorded.

replayed   its recording is the answer; what was refused then is raised again
made       there is none, or the agent is to be called for real; recorded if that is asked for
run        it is code in which other calls are recorded, so those are replayed inside
refused    nothing may be called and there is no recording, or one of another model
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from pydantic import JsonValue

from linenotes.project import RecordingError
from linenotes.tracing._admission import admit
from linenotes.tracing.recordings._near_misses import difference, nearest
from linenotes.tracing.recordings._network_guard import has_lost_context
from linenotes.tracing.recordings._places import graph_inside, namespace_here
from linenotes.tracing.recordings._recorded_call import (
    AnswerKind,
    CallKey,
    CallKind,
    RecordedCall,
)
from linenotes.tracing.recordings._refusals import keep_error, restored_error
from linenotes.tracing.recordings._rendering import Request
from linenotes.tracing.recordings._sample import (
    Frame,
    SampleRecordings,
    current,
    current_frame,
)

if TYPE_CHECKING:
    from uuid import UUID

    from linenotes.tracing.recordings._drawer import Answered


class Exchange:
    """A call on its way."""

    def __init__(
        self,
        sample: SampleRecordings,
        kind: CallKind,
        request: Request,
        owner: object,
        *,
        run_id: UUID | None = None,
        run_always: bool = False,
    ) -> None:
        outer = current_frame.get()
        if outer is not None:
            outer.note_inside()
        self._sample = sample
        self._policy = sample.library.policy
        self._request = request
        self._run_id = run_id
        self.key = sample.key(kind, request)
        self._is_live = sample.live_name(self.key.agent) is not None
        self._run_always = run_always
        self.on_replay: Callable[[], None] | None = None
        """Called when a recording stands in for the call."""
        self._leads = False
        self._runs = False
        self._since = 0.0
        self.frame = Frame(
            owner=owner,
            outer=outer,
            path=f"{self.key.agent}/{_label(self.key)}",
            namespace=namespace_here(),
            is_open=self._is_live or run_always,
        )

    def find(self) -> Generator[Answered, None, RecordedCall | None]:
        """Yield what to wait for, and return the recording to replay; None to make the call.

        Raises:
            RecordingError: it may not be made.
            Exception: what the call was answered with when it was recorded.
        """
        if self._run_always:
            return None
        while True:
            found = None if self._is_live else self._found()
            if found is not None or not self._policy.records:
                return found
            waiting = self._sample.drawer.ask(self.key)
            if waiting is None:
                self._leads = True
                return None
            yield waiting
            if self._is_live:
                return None

    def _found(self) -> RecordedCall | None:
        found = self._sample.drawer.find(self.key)
        if found is None:
            self._miss()
        elif found.answer == "runs":
            self._sample.library.note("run", found.key)
            self._runs = True
        elif found.answer == "unstorable":
            self._cannot_replay(found)
        else:
            return self._replayed(found)
        return None

    def _replayed(self, found: RecordedCall) -> RecordedCall:
        self._sample.library.note("replayed", found.key)
        if self.on_replay is not None:
            self.on_replay()
        if found.answer == "refusal":
            raise restored_error(found.content)
        return found

    def _miss(self) -> None:
        others = self._sample.drawer.of_other_models(self.key)
        if others:
            self._sample.library.note("stale")
        if self._policy.is_closed:
            told = _stale(self.key, others[0]) if others else self._nothing_recorded()
            raise self._sample.refuse(RecordingError(told))

    def _nothing_recorded(self) -> str:
        where, sample = _where(self.key), self._sample
        near = nearest(self._request.asked, self.key, sample.drawer) or nearest(
            self._request.asked, self.key, sample.library.elsewhere()
        )
        head = f"{where} has no recording in {sample.library.file.path}."
        cure = "Record it: linenotes eval --record auto, or pytest --linenotes-record=auto."
        if near is None:
            return f"{head} Nothing like it is recorded. {cure}"
        lines = difference(near.asked, self._shown(self._request.asked))
        if not lines:
            return f"{head} It asks once more what {_where(near.key)} asked. {cure}"
        shown = "\n".join(f"  {line}" for line in lines)
        return f"{head} {cure} The nearest is of {_where(near.key)}; - recorded, + asked:\n{shown}"

    def _cannot_replay(self, found: RecordedCall) -> None:
        if self._policy.is_closed:
            raise self._sample.refuse(
                RecordingError(
                    f"{_where(self.key)} gave {found.content!r}, which no file of recordings "
                    "holds, so it cannot be replayed. Let the tool return text or JSON, or always "
                    f'run it: run-tools = ["{self.key.model}"] in [tool.linenotes.recordings].'
                )
            )

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Make the call, or a step of it, in this block."""
        token = current_frame.set(self.frame)
        heard = graph_inside.set(self.frame.note_inside)
        try:
            yield
        finally:
            graph_inside.reset(heard)
            current_frame.reset(token)

    @contextmanager
    def made(self) -> Iterator[None]:
        """Make the call in this block, and keep the exception that it is answered with."""
        self._since = time.monotonic()
        try:
            if self.key.kind == "model":
                admit(self._run_id)
            if not self._runs:
                self._sample.library.note("called")
            yield
        except BaseException as error:
            self._failed(error)
            raise
        finally:
            if self.frame.has_calls and not self.frame.is_open:
                self._sample.note_unrecorded(self.frame.sent_to)
            if self._leads:
                self._sample.drawer.answer(self.key, None)

    def _failed(self, error: BaseException) -> None:
        from langgraph.errors import GraphBubbleUp

        if self.frame.has_calls or isinstance(error, GraphBubbleUp):
            self.keep("runs", None)
        elif isinstance(error, Exception) and self._sample.library.is_answer(error):
            self.keep("refusal", keep_error(error))

    def keep(self, answer: AnswerKind, content: JsonValue, *, by: str | None = None) -> None:
        """Keep the answer, if calls are to be recorded."""
        if not self._leads or self._runs:
            return
        if self.frame.has_calls:
            answer, content, by = "runs", None, None
        shown = self._shown(self._request.asked)
        call = RecordedCall(
            key=self.key,
            answer=answer,
            content=self._shown(content),
            asked=shown,
            answered_by=by,
            seconds=round(time.monotonic() - self._since, 3),
            recorded=datetime.now(UTC).isoformat(timespec="milliseconds"),
            shown_request=self._shown_fingerprint(shown),
        )
        self._sample.library.keep(call)
        self._sample.drawer.put(call)
        self._leads = False
        self._sample.drawer.answer(self.key, call)

    def note_replayed(self, message_ids: list[str]) -> None:
        """Note which messages of the sample come from a recording."""
        self._sample.replayed.update(message_ids)

    def _shown(self, value: JsonValue) -> JsonValue:
        return self._sample.redactor.value(value)

    def _shown_fingerprint(self, shown: JsonValue) -> str | None:
        if shown == self._request.asked:
            return None
        return Request(cast("dict[str, JsonValue]", shown), self._request.model).fingerprint


def sample_of_call(owner: object, shown: str) -> SampleRecordings | None:
    """Return the sample that a call of `owner` is recorded for.

    None where no recordings are in force, or inside a call of `owner` that is recorded already.

    Raises:
        RecordingError: samples are replayed, and nobody can tell whose call it is.
    """
    sample = current.get()
    if sample is None:
        if has_lost_context():
            raise RecordingError(
                f"A thread that does not carry its sample's context calls {shown} during a "
                "replay, so nobody can tell whose call it is. Start it with "
                "`contextvars.copy_context().run` or `asyncio.to_thread`."
            )
        return None
    frame = current_frame.get()
    if frame is not None and frame.owner is owner and frame.namespace == namespace_here():
        return None
    return sample


def found_now(exchange: Exchange) -> RecordedCall | None:
    """Return the recording to replay; a thread that runs an event loop does not wait for others."""
    search, may_wait = exchange.find(), not _runs_a_loop()
    try:
        while True:
            waiting = next(search)
            if not may_wait:
                return None
            waiting.result()
    except StopIteration as end:
        return cast("RecordedCall | None", end.value)


def _runs_a_loop() -> bool:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def found_soon(exchange: Exchange) -> RecordedCall | None:
    """Return the recording to replay, once those who make the same call have made it."""
    import asyncio

    search = exchange.find()
    try:
        while True:
            # Shielded: who stops waiting must not end the wait of others.
            await asyncio.shield(asyncio.wrap_future(next(search)))
    except StopIteration as end:
        return cast("RecordedCall | None", end.value)


def _label(key: CallKey) -> str:
    return f"{key.model}({key.request[:8]}.{key.ordinal})".replace("/", "_")


def _where(key: CallKey) -> str:
    what = "the tool" if key.kind == "tool" else "the model"
    return f"Case {key.case!r} sample {key.sample}, {key.agent}: {what} {key.model}"


def _stale(key: CallKey, other: RecordedCall) -> str:
    return (
        f"{_where(key)} has a stale recording: it was made by {other.key.model!r}. "
        "Record this model: linenotes eval --record auto; or replay that one with --model."
    )
