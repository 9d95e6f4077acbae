"""Models that recite, and MLflow's autolog with a memory instead of a store."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.language_models import BaseChatModel, LangSmithParams, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from linenotes.project import keep_offline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.callbacks import CallbackManagerForLLMRun
    from langchain_core.runnables import Runnable
    from mlflow.entities import Trace as MlflowTrace
    from opentelemetry.sdk.trace import ReadableSpan

Autologged = Callable[[Callable[[], object]], "list[MlflowTrace]"]


class Reciter(BaseChatModel):
    """Says its lines one after the other and begins again."""

    lines: list[AIMessage]
    said: list[int]

    @property
    def _llm_type(self) -> str:
        return "reciter"

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: object) -> LangSmithParams:
        return {"ls_provider": "script", "ls_model_name": "reciter-1"}

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: object,
    ) -> ChatResult:
        line = self.lines[self.said[0] % len(self.lines)].model_copy(deep=True)
        self.said[0] += 1
        line.usage_metadata = {"input_tokens": 10, "output_tokens": 2, "total_tokens": 12}
        line.response_metadata = {"model_name": "reciter-1-0613"}
        return ChatResult(generations=[ChatGeneration(message=line)])

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: object
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return self


@pytest.fixture(scope="session")
def reciter() -> Callable[..., Reciter]:
    def make(*lines: str | AIMessage) -> Reciter:
        said = [AIMessage(line) if isinstance(line, str) else line for line in lines]
        return Reciter(lines=said, said=[0])

    return make


@pytest.fixture(scope="module")
def autologged() -> Iterator[Autologged]:
    """Run something under `mlflow.langchain.autolog()` and return the traces it recorded."""
    keep_offline()
    import mlflow
    from mlflow.entities import Trace
    from mlflow.tracing import provider
    from mlflow.tracing.processor.mlflow_v3 import MlflowV3SpanProcessor
    from mlflow.tracing.trace_manager import InMemoryTraceManager
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class Kept(SpanExporter):
        """Keeps each trace when its root ends, as MLflow's own exporter writes it then."""

        def __init__(self) -> None:
            self.traces: list[MlflowTrace] = []

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            for span in spans:
                context = span.context
                if span.parent is None and context is not None:
                    found = manager.pop_trace(context.trace_id)
                    if found:
                        self.traces.append(Trace.from_dict(found.trace.to_dict()))
            return SpanExportResult.SUCCESS

    manager = InMemoryTraceManager.get_instance()  # type: ignore[no-untyped-call]  # MLflow's
    kept, tracer = Kept(), TracerProvider()
    tracer.add_span_processor(MlflowV3SpanProcessor(kept, export_metrics=False))
    provider.provider.once.do_once(lambda: None)
    provider.provider.set(tracer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # MLflow's own types, at its first import
        mlflow.langchain.autolog(silent=True)

    def run(action: Callable[[], object]) -> list[MlflowTrace]:
        kept.traces.clear()
        action()
        return [*kept.traces]

    yield run
    mlflow.langchain.autolog(disable=True, silent=True)
    provider.reset()  # type: ignore[no-untyped-call]  # MLflow's
