"""Chat models meet recordings where LangChain hands over to the model's own class.

Every chat model implements some of `_generate`, `_agenerate`, `_stream`, `_astream` and the two
that stream LangChain's own events. Wrapped are these methods of each class, and nothing that
callers see: callbacks, caches, bound tools, structured output and batches work as they do live.
Outside of a sample with recordings a wrapped method only asks a context variable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables.config import get_config_list

from linenotes.tracing.recordings._answers import (
    answering_model,
    keep_result,
    message_ids,
    name_answers,
    restored_result,
)
from linenotes.tracing.recordings._chat_streams import (
    achunks,
    aevents,
    chunks,
    events,
)
from linenotes.tracing.recordings._exchange import (
    Exchange,
    found_now,
    found_soon,
    sample_of_call,
)
from linenotes.tracing.recordings._rendering import model_request
from linenotes.tracing.recordings._sample import current
from linenotes.tracing.recordings._wrapping import Wrap, wrap_methods

if TYPE_CHECKING:
    from langchain_core.outputs import ChatResult

    from linenotes.tracing.recordings._recorded_call import RecordedCall

Method = Callable[..., Any]
Replay = Callable[[Exchange, Callable[[], Any], Mapping[str, Any]], Any]
Options = Mapping[str, object]
_POSITIONS = ("messages", "stop", "run_manager")


def _exchange(model: BaseChatModel, given: Sequence[Any], named: Options) -> Exchange | None:
    """Return the exchange of a call; None where no recordings are in force, or inside a call.

    LangChain calls these methods with positions in one place and with names in another.
    """
    sample = sample_of_call(model, type(model).__name__)
    if sample is None:
        return None
    asked = {**dict(zip(_POSITIONS, given, strict=False)), **named}
    run_id = getattr(asked.pop("run_manager", None), "run_id", None)
    messages, stop = asked.pop("messages"), asked.pop("stop", None)
    request = model_request(model, messages, stop, asked)
    exchange = Exchange(sample, "model", request, model, run_id=run_id)
    pass_over = getattr(model, "pass_over", None)
    if pass_over is not None and (sample.library.policy.records or sample.library.policy.live):
        exchange.on_replay = partial(pass_over, messages, stop=stop, **asked)
    return exchange


def _generate(original: Method) -> Method:
    @wraps(original)
    def generate(self: BaseChatModel, *given: object, **named: object) -> ChatResult:
        exchange = _exchange(self, given, named)
        if exchange is None:
            return cast("ChatResult", original(self, *given, **named))
        found = found_now(exchange)
        if found is not None:
            return _replayed(exchange, found, named)
        with exchange.made():
            with exchange.inside():
                result = original(self, *given, **named)
            return _kept(exchange, result)

    return generate


def _agenerate(original: Method) -> Method:
    @wraps(original)
    async def agenerate(self: BaseChatModel, *given: object, **named: object) -> ChatResult:
        exchange = _exchange(self, given, named)
        if exchange is None:
            return cast("ChatResult", await original(self, *given, **named))
        found = await found_soon(exchange)
        if found is not None:
            return _replayed(exchange, found, named)
        with exchange.made():
            with exchange.inside():
                result = await original(self, *given, **named)
            return _kept(exchange, result)

    return agenerate


def _replayed(exchange: Exchange, found: RecordedCall, options: Options) -> ChatResult:
    exchange.note_replayed(message_ids(found.content))
    return restored_result(found.content, options.get("response_format"))


def _kept(exchange: Exchange, result: ChatResult) -> ChatResult:
    name_answers(result, exchange.key.message_id)
    content = keep_result(result)
    exchange.keep("message", content, by=answering_model(content))
    return result


def _streaming(replay: Replay) -> Wrap:
    """Wrap a method that gives a stream; `replay` makes one of an exchange."""

    def wrap(original: Method) -> Method:
        @wraps(original)
        def stream(self: BaseChatModel, *given: object, **named: object) -> object:
            exchange = _exchange(self, given, named)
            begin = partial(original, self, *given, **named)
            return begin() if exchange is None else replay(exchange, begin, named)

        return stream

    return wrap


def _one_by_one(original: Method) -> Method:
    """Ask equal questions of a batch in turn: threads would share out their ordinals by chance."""

    @wraps(original)
    def batch(
        self: BaseChatModel,
        inputs: list[Any],
        config: Any = None,  # noqa: ANN401  as LangChain has it
        **options: object,
    ) -> list[Any]:
        if current.get() is not None and any(one in inputs[:i] for i, one in enumerate(inputs)):
            config = [{**one, "max_concurrency": 1} for one in get_config_list(config, len(inputs))]
        return cast("list[Any]", original(self, inputs, config, **options))

    return batch


def wrap_chat_models() -> None:
    """Let every chat model meet recordings."""
    wrap_methods(
        BaseChatModel,
        {
            "_generate": _generate,
            "_agenerate": _agenerate,
            "_stream": _streaming(chunks),
            "_astream": _streaming(achunks),
            "_stream_chat_model_events": _streaming(events),
            "_astream_chat_model_events": _streaming(aevents),
        },
    )
    BaseChatModel.batch = _one_by_one(BaseChatModel.batch)  # type: ignore[method-assign]  # as above
