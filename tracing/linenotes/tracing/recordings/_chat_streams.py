"""Streams of a chat model, recorded while they pass and replayed as one chunk.

The chunks of a stream are added up before the caller sees them, so what is kept is what the model
said. A caller who stops early has got an answer nevertheless: it is kept as far as it came.
"""

from __future__ import annotations

from collections.abc import (
    AsyncIterator,
    Callable,
    Iterator,
    Mapping,
)
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, cast

from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from linenotes.tracing.recordings._answers import (
    answering_model,
    keep_chunk,
    keep_result,
    message_ids,
    restored_chunk,
    restored_result,
)
from linenotes.tracing.recordings._exchange import Exchange, found_now, found_soon

if TYPE_CHECKING:
    from pydantic import JsonValue

    from linenotes.tracing.recordings._recorded_call import RecordedCall

Begin = Callable[[], Any]
Options = Mapping[str, Any]
_END = object()


class _Chunks:
    """Chunks of LangChain's own streams."""

    is_whole = False
    """Which of them is the last, only the end of the stream tells."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._sum: ChatGenerationChunk | None = None

    def hear(self, chunk: ChatGenerationChunk) -> None:
        """Take in a chunk before anybody changes it."""
        if chunk.message.id is None:
            chunk.message.id = self._exchange.key.message_id
        copied = chunk.model_copy(update={"message": chunk.message.model_copy()})
        self._sum = copied if self._sum is None else self._sum + copied

    def kept(self) -> JsonValue:
        """Return what the chunks add up to; None without one."""
        return None if self._sum is None else keep_chunk(self._sum)

    def replayed(self, found: RecordedCall, options: Options) -> Iterator[ChatGenerationChunk]:
        """Yield a recording as a stream."""
        yield restored_chunk(found.content, options.get("response_format"))


class _Events:
    """Events of LangChain's protocol, which some classes stream themselves."""

    def __init__(self, exchange: Exchange) -> None:
        from langchain_core.language_models.chat_model_stream import ChatModelStream

        self._exchange = exchange
        self._stream = ChatModelStream()
        self._heard: list[dict[str, Any]] = []

    def hear(self, event: dict[str, Any]) -> None:
        """Take in an event before anybody changes it."""
        if event.get("event") == "message-start" and not event.get("id"):
            event["id"] = self._exchange.key.message_id
        self._heard.append(dict(event))
        self._stream.dispatch(event)

    @property
    def is_whole(self) -> bool:
        """Whether the message has ended."""
        return self._stream.done

    def kept(self) -> JsonValue:
        """Return the message that the events tell, and the events; None before it is whole."""
        message = self._stream.output_message
        if message is None:
            return None
        kept = keep_result(ChatResult(generations=[ChatGeneration(message=message)]))
        return {**cast("dict[str, JsonValue]", kept), "events": cast("JsonValue", self._heard)}

    def replayed(self, found: RecordedCall, options: Options) -> Iterator[dict[str, Any]]:
        """Yield a recording as events."""
        content = cast("dict[str, Any]", found.content)
        if "events" in content:
            yield from content["events"]
            return
        from langchain_core.language_models import chat_models

        message = restored_result(content, options.get("response_format")).generations[0].message
        as_events = cast("Callable[[object], Any]", vars(chat_models)["message_to_events"])
        yield from as_events(message)


def chunks(exchange: Exchange, begin: Begin, options: Options) -> Iterator[Any]:
    """Return a stream of chunks that is recorded or replayed."""
    return _stream(exchange, begin, options, _Chunks(exchange))


def events(exchange: Exchange, begin: Begin, options: Options) -> Iterator[Any]:
    """Return a stream of events that is recorded or replayed."""
    return _stream(exchange, begin, options, _Events(exchange))


def achunks(exchange: Exchange, begin: Begin, options: Options) -> AsyncIterator[Any]:
    """Return a stream of chunks that is recorded or replayed."""
    return _astream(exchange, begin, options, _Chunks(exchange))


def aevents(exchange: Exchange, begin: Begin, options: Options) -> AsyncIterator[Any]:
    """Return a stream of events that is recorded or replayed."""
    return _astream(exchange, begin, options, _Events(exchange))


def _stream(
    exchange: Exchange, begin: Begin, options: Options, ear: _Chunks | _Events
) -> Iterator[Any]:
    found = found_now(exchange)
    if found is not None:
        yield from _replayed(exchange, found, options, ear)
        return
    with exchange.made():
        try:
            with closing(_begun(exchange, begin)) as parts:
                while (part := _next(exchange, parts)) is not _END:
                    ear.hear(part)
                    if ear.is_whole:  # who got the end need not ask for more
                        _keep(exchange, ear)
                    yield part
        except GeneratorExit:
            _keep(exchange, ear)
            raise
        _keep(exchange, ear)


def _begun(exchange: Exchange, begin: Begin) -> Any:  # noqa: ANN401  a generator of either kind
    with exchange.inside():
        return begin()


def _next(exchange: Exchange, parts: Iterator[Any]) -> Any:  # noqa: ANN401  chunks or events
    # Only this step is inside the call: the caller's code, which runs between them, is not.
    with exchange.inside():
        return next(parts, _END)


async def _astream(
    exchange: Exchange, begin: Begin, options: Options, ear: _Chunks | _Events
) -> AsyncIterator[Any]:
    found = await found_soon(exchange)
    if found is not None:
        for part in _replayed(exchange, found, options, ear):
            yield part
        return
    with exchange.made():
        try:
            async with aclosing(_begun(exchange, begin)) as parts:
                while (part := await _anext(exchange, parts)) is not _END:
                    ear.hear(part)
                    if ear.is_whole:  # who got the end need not ask for more
                        _keep(exchange, ear)
                    yield part
        except GeneratorExit:
            _keep(exchange, ear)
            raise
        _keep(exchange, ear)


async def _anext(exchange: Exchange, parts: AsyncIterator[Any]) -> Any:  # noqa: ANN401  as above
    with exchange.inside():
        return await anext(parts, _END)


def _replayed(
    exchange: Exchange, found: RecordedCall, options: Options, ear: _Chunks | _Events
) -> Iterator[Any]:
    exchange.note_replayed(message_ids(found.content))
    yield from ear.replayed(found, options)


def _keep(exchange: Exchange, ear: _Chunks | _Events) -> None:
    content = ear.kept()
    if content is not None:
        exchange.keep("message", content, by=answering_model(content))
