"""The callback handler of one meter: LangChain's events of model calls, and nothing else."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.tracers.context import register_configure_hook

from linenotes.tracing._admission import admission, recordings_decide
from linenotes.tracing._ledger import NO_TOKENS, Tokens
from linenotes.tracing.recorder._actors import model_name, text_detail
from linenotes.tracing.recorder._call_costs import call_cost, call_price
from linenotes.tracing.recorder._content import is_a, tokens_of
from linenotes.tracing.recorder._metering import CallAhead

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from uuid import UUID

    from langchain_core.outputs import LLMResult

    from linenotes.tracing._prices import Prices
    from linenotes.tracing.recorder._metering import Meter

_listener: ContextVar[CallListener | None] = ContextVar("linenotes_meter", default=None)
register_configure_hook(_listener, inheritable=True)


class CallListener(BaseCallbackHandler):
    """Tells a meter of each model call: before it is sent, and how it ended."""

    raise_error = True
    ignore_chain = True
    ignore_agent = True
    ignore_retriever = True
    ignore_retry = True
    ignore_custom_event = True

    def __init__(self, meter: Meter, prices: Prices) -> None:
        self._meter = meter
        self._prices = prices
        self._calls: dict[UUID, tuple[CallAhead, Mapping[str, object]]] = {}
        """The calls under way, with their details."""
        self._aside: dict[UUID, CallAhead] = {}
        """Calls that a recording may stand in for."""

    @property
    def run_inline(self) -> bool:  # type: ignore[override]  # LangChain only reads it
        """Whether LangChain is to call this handler at once, not in a thread.

        Not where it may stop a call: other handlers would then not hear of that call. With
        recordings it stops none, and threads would mix up the order of equal calls.
        """
        return recordings_decide.get()

    def on_chat_model_start(
        self,
        serialized: dict[str, object] | None,  # noqa: ARG002  LangChain's signature
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        metadata: dict[str, object] | None = None,
        **more: object,
    ) -> None:
        """Tell of a call before it is sent; what the meter raises stops it."""
        self._tell(messages[0], run_id, metadata or {}, more.get("invocation_params"))

    def on_llm_start(
        self,
        serialized: dict[str, object] | None,  # noqa: ARG002  LangChain's signature
        prompts: list[str],
        *,
        run_id: UUID,
        metadata: dict[str, object] | None = None,
        **more: object,
    ) -> None:
        """Tell of a call of a model that completes texts."""
        prompt = [HumanMessage(prompts[0])]
        self._tell(prompt, run_id, metadata or {}, more.get("invocation_params"))

    def _tell(
        self,
        prompt: Sequence[BaseMessage],
        run_id: UUID,
        metadata: Mapping[str, object],
        parameters: object,
    ) -> None:
        details = {**(parameters if isinstance(parameters, dict) else {}), **metadata}
        call = CallAhead(
            id=run_id,
            agent=_agent(metadata),
            model=model_name(details) or "",
            input_tokens=_roughly(prompt),
            price=call_price(self._prices, details),
        )
        if recordings_decide.get():
            self._aside[run_id] = call
        else:
            self._meter.ahead(call)
        self._calls[run_id] = call, details

    def admit(self, run_id: UUID | None) -> None:
        """Tell of a call that was kept aside; of all where nobody knows which it is."""
        for one in [run_id] if run_id else [*self._aside]:
            if call := self._aside.pop(one, None):
                self._meter.ahead(call)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: object) -> None:
        """Tell what an answered call used and cost."""
        call, details = self._calls.pop(run_id, (None, {}))
        if self._aside.pop(run_id, None) is not None:
            return  # a recording stood in for it
        generation = next((one for prompt in response.generations for one in prompt), None)
        message = getattr(generation, "message", None)
        if not is_a(message, BaseMessage):
            self._meter.ended(run_id, NO_TOKENS, None)
            return
        details = {**details, **(response.llm_output or {}), **message.response_metadata}
        tokens = tokens_of(message)
        if tokens.total:
            cost = call_cost(self._prices, details, message)
            self._meter.ended(run_id, tokens, cost)
        elif call is not None:  # many streams do not tell what they used
            rough = Tokens(input=call.input_tokens, output=_roughly([message]))
            self._meter.ended(run_id, rough, call.price.of(rough) if call.price else None)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: object) -> None:
        """Tell that a call came to nothing."""
        known, aside = self._calls.pop(run_id, None), self._aside.pop(run_id, None)
        if known is not None and aside is None:
            self._meter.failed(run_id, error)


def _agent(metadata: Mapping[str, object]) -> str:
    """Return the nodes of a call without the ids of their tasks."""
    space = text_detail(metadata, "langgraph_checkpoint_ns", "langgraph_node") or ""
    return "|".join(part.partition(":")[0] for part in space.split("|"))


def _roughly(prompt: Sequence[BaseMessage]) -> int:
    try:
        return count_tokens_approximately(prompt)
    except Exception:  # noqa: BLE001  a stranger's content must not stop its call
        return 0


@contextmanager
def listening(meter: Meter, prices: Prices) -> Iterator[None]:
    """Let `meter` hear the model calls that start in this context."""
    listener = CallListener(meter, prices)
    token, asked = _listener.set(listener), admission.set(listener.admit)
    try:
        yield
    finally:
        with suppress(ValueError):  # a generator may be closed in a context of its own
            _listener.reset(token)
            admission.reset(asked)
