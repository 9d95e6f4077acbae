"""The names of span attributes, and nothing else: every other module takes them from here.

`gen_ai.*` follows the OpenTelemetry GenAI conventions of `SCHEMA_VERSION`; `gen_ai.transfer.*` is
their draft for handoffs. `mlflow.*` is what the MLflow UI reads. `linenotes.*` is ours, because
nobody has named messages between agents yet.
"""

from __future__ import annotations

from typing import Final

SCHEMA_VERSION: Final = "0.1.0"
"""The release of the GenAI conventions that these names follow."""
SCHEMA_URL: Final = f"https://opentelemetry.io/schemas/gen-ai/{SCHEMA_VERSION}"

OPERATION_NAME: Final = "gen_ai.operation.name"
PROVIDER_NAME: Final = "gen_ai.provider.name"
AGENT_NAME: Final = "gen_ai.agent.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_ID: Final = "gen_ai.response.id"
RESPONSE_FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
USAGE_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
USAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
USAGE_CACHED_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
USAGE_REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_TYPE: Final = "gen_ai.tool.type"
TOOL_DESCRIPTION: Final = "gen_ai.tool.description"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"
TOOL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_RESULT: Final = "gen_ai.tool.call.result"
EVALUATION_NAME: Final = "gen_ai.evaluation.name"
EVALUATION_VALUE: Final = "gen_ai.evaluation.score.value"
EVALUATION_LABEL: Final = "gen_ai.evaluation.score.label"
EVALUATION_EXPLANATION: Final = "gen_ai.evaluation.explanation"
TRANSFER_MODE: Final = "gen_ai.transfer.mode"
TRANSFER_TARGET: Final = "gen_ai.transfer.target.name"

INVOKE_AGENT: Final = "invoke_agent"
CHAT: Final = "chat"
EXECUTE_TOOL: Final = "execute_tool"
RETRIEVAL: Final = "retrieval"
HAND_OVER: Final = "pass_control"
CALL_UPON: Final = "return_to_caller"
EVALUATION_RESULT: Final = "gen_ai.evaluation.result"

SERVICE_NAME: Final = "service.name"
SESSION: Final = "session.id"
ERROR_TYPE: Final = "error.type"
EXCEPTION: Final = "exception"
EXCEPTION_TYPE: Final = "exception.type"
EXCEPTION_MESSAGE: Final = "exception.message"
EXCEPTION_STACKTRACE: Final = "exception.stacktrace"
INTERRUPT: Final = "interrupt"

MLFLOW_MESSAGE_FORMAT: Final = "mlflow.message.format"
MLFLOW_MODEL: Final = "mlflow.llm.model"
MLFLOW_PROVIDER: Final = "mlflow.llm.provider"
MLFLOW_TOKEN_USAGE: Final = "mlflow.chat.tokenUsage"  # noqa: S105  the name of an attribute
MLFLOW_COST: Final = "mlflow.llm.cost"
MLFLOW_TOOLS: Final = "mlflow.chat.tools"

MESSAGE_ID: Final = "linenotes.message.id"
MESSAGE_KIND: Final = "linenotes.message.kind"
MESSAGE_SENDER: Final = "linenotes.message.sender"
MESSAGE_RECIPIENT: Final = "linenotes.message.recipient"
MESSAGE_COST: Final = "linenotes.message.cost"
MESSAGES_RECEIVED: Final = "linenotes.message.received"
MESSAGES_SENT: Final = "linenotes.message.sent"
ACTIVATION: Final = "linenotes.activation"
STEP: Final = "linenotes.step"
INTERRUPT_VALUE: Final = "linenotes.interrupt.value"
CASE: Final = "linenotes.case"
SAMPLE: Final = "linenotes.sample"
VERSION: Final = "linenotes.version"
RUN: Final = "linenotes.run"
SCHEMA: Final = "linenotes.schema.version"
