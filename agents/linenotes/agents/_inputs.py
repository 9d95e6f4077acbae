"""Plain text as a graph's input."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_type_hints

from linenotes.project import AgentError

if TYPE_CHECKING:
    from typing import Any

    from langgraph.graph.state import CompiledStateGraph
    from pydantic import JsonValue


def text_input(graph: CompiledStateGraph[Any, Any, Any, Any], text: str) -> dict[str, JsonValue]:
    """Return the input that says `text`: a user's message, or the graph's one text field.

    Raises:
        AgentError: the graph's input has neither.
    """
    fields = _fields(graph)
    if "messages" in fields:
        return {"messages": [{"role": "user", "content": text}]}
    texts = [name for name, kind in fields.items() if kind in (str, str | None)]
    if len(texts) == 1:
        return {texts[0]: text}
    raise AgentError(
        f"The graph's input has the fields {', '.join(fields) or '(none)'}, and not just one of "
        "them takes text. Give --input JSON."
    )


def _fields(graph: CompiledStateGraph[Any, Any, Any, Any]) -> dict[str, object]:
    """Return name to type; the graph's own JSON schema fails on TypedDict before Python 3.12."""
    try:
        return get_type_hints(graph.builder.input_schema)
    except (AttributeError, NameError, TypeError):
        channels = graph.input_channels
        return dict.fromkeys([channels] if isinstance(channels, str) else channels)
