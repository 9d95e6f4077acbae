"""The names of attributes are those that MLflow and OpenTelemetry use."""

from __future__ import annotations

from mlflow.tracing.constant import SpanAttributeKey
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes

from linenotes.tracing import _conventions as names

OWN_DRAFTS = {names.TRANSFER_MODE, names.TRANSFER_TARGET}
EVENTS = {names.EVALUATION_RESULT}  # the conventions list attributes and events apart


def test_mlflow_names_are_those_of_the_installed_mlflow() -> None:
    assert names.MLFLOW_MESSAGE_FORMAT == SpanAttributeKey.MESSAGE_FORMAT
    assert names.MLFLOW_MODEL == SpanAttributeKey.MODEL
    assert names.MLFLOW_PROVIDER == SpanAttributeKey.MODEL_PROVIDER
    assert names.MLFLOW_TOKEN_USAGE == SpanAttributeKey.CHAT_USAGE
    assert names.MLFLOW_COST == SpanAttributeKey.LLM_COST
    assert names.MLFLOW_TOOLS == SpanAttributeKey.CHAT_TOOLS


def test_gen_ai_names_are_those_of_the_installed_conventions() -> None:
    ours = {value for value in vars(names).values() if str(value).startswith("gen_ai.")}
    theirs = {value for value in vars(gen_ai_attributes).values() if isinstance(value, str)}

    assert ours - theirs == OWN_DRAFTS | EVENTS | {"gen_ai.request.seed"} - theirs
