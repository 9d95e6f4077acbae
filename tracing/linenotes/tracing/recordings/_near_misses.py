"""A request that has no recording, shown beside the nearest one that has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher, unified_diff
from typing import Any

import orjson
from pydantic import JsonValue

from linenotes.tracing.recordings._recorded_call import CallKey, RecordedCall

_WIDTH = 100
_MOST_LINES = 24
_MOST_COMPARED = 50
_ROLE = 9


def nearest(asked: JsonValue, key: CallKey, calls: Iterable[RecordedCall]) -> RecordedCall | None:
    """Return the recording whose request is most like `asked`: of the same agent, if it has any."""
    alike = [call for call in calls if call.key.kind == key.kind]
    own = [call for call in alike if call.key.agent == key.agent] or alike
    lines = request_lines(asked)
    return max(own[:_MOST_COMPARED], key=lambda call: _likeness(lines, call), default=None)


def _likeness(lines: list[str], call: RecordedCall) -> float:
    return SequenceMatcher(None, lines, request_lines(call.asked), autojunk=False).ratio()


def difference(recorded: JsonValue, asked: JsonValue) -> list[str]:
    """Return how a request differs from the recorded one, short enough for a terminal."""
    changes = unified_diff(request_lines(recorded), request_lines(asked), n=1, lineterm="")
    lines = [_shortened(line) for line in list(changes)[2:] if not line.startswith("@@")]
    if len(lines) <= _MOST_LINES:
        return lines
    return [*lines[:_MOST_LINES], f"… {len(lines) - _MOST_LINES} more lines"]


def _shortened(line: str) -> str:
    return line if len(line) <= _WIDTH else line[: _WIDTH - 2] + " …"


def request_lines(asked: JsonValue) -> list[str]:
    """Return a request as lines: who says what, then tools and parameters."""
    request: Any = asked
    if not isinstance(request, dict):
        return [str(request)]
    lines = [line for message in request.get("messages", ()) for line in _message_lines(message)]
    for name, value in request.items():
        if name == "tools":
            lines += [f"{'tool':<{_ROLE}}{_tool_name(tool)}: {_json(tool)}" for tool in value]
        elif name != "messages":
            lines.append(f"{name + ' ':<{_ROLE}}{_json(value)}")
    return lines


def _message_lines(message: dict[str, Any]) -> Iterator[str]:
    content = message.get("content")
    text = content if isinstance(content, str) else _json(content)
    for number, line in enumerate(text.splitlines() or [""]):
        yield f"{message['role'] if number == 0 else '':<{_ROLE}}{line}"
    for call in message.get("tool_calls", ()):
        yield f"{'':<{_ROLE}}calls {call['name']}({_json(call['args'])})"


def _tool_name(tool: Any) -> str:  # noqa: ANN401  whatever a provider takes for a tool
    function = tool.get("function", tool) if isinstance(tool, dict) else {}
    return str(function.get("name", "")) if isinstance(function, dict) else ""


def _json(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
