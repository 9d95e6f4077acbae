"""What MLflow kept as Python source: Sends, and the Commands and Interrupts in exceptions.

The source is parsed and never run. Whatever is no literal, message, Send, Command or Interrupt
stays the text that it is.
"""

from __future__ import annotations

import ast
import re

from pydantic import JsonValue

SEND = "__send__"
"""The key under which a Send's node stands where a Send is written as JSON."""
COMMAND_FIELDS = ("graph", "update", "resume", "goto")

_MESSAGES = {
    "HumanMessage": "human",
    "AIMessage": "ai",
    "SystemMessage": "system",
    "ToolMessage": "tool",
    "FunctionMessage": "function",
    "ChatMessage": "chat",
    "RemoveMessage": "remove",
    "HumanMessageChunk": "human",
    "AIMessageChunk": "ai",
    "ToolMessageChunk": "tool",
}
_SEND_NODE = re.compile(r"Send\(node='([^']*)'")


def read_send(text: str) -> JsonValue:
    """Return the Send whose `repr` is `text` as JSON, None where it is none."""
    if not text.startswith("Send(node="):
        return None
    found = _SEND_NODE.match(text)
    return _parsed(text) or ({SEND: found.group(1), "arg": None} if found else None)


def read_command(text: str) -> JsonValue:
    """Return the Command whose `repr` is `text` as JSON, None where it cannot be read."""
    return _parsed(text) if text.startswith("Command(") else None


def read_interrupts(text: str) -> list[tuple[str, JsonValue]]:
    """Return the ids and the questions of the Interrupts whose `repr` is `text`."""
    found = _parsed(text)
    return [
        (str(one["id"]), one["value"])
        for one in (found if isinstance(found, list) else [found])
        if isinstance(one, dict) and one.keys() >= {"id", "value"}
    ]


def _parsed(text: str) -> JsonValue:
    try:
        return _value(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _value(node: ast.expr) -> JsonValue:
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        return {
            str(_value(key)): _value(value)
            for key, value in zip(node.keys, node.values, strict=True)
            if key is not None
        }
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _call(node, node.func.id)
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | None):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _value(node.operand)
        return -number if isinstance(number, int | float) else ast.unparse(node)
    return ast.unparse(node)


def _call(node: ast.Call, name: str) -> JsonValue:
    fields = {word.arg: _value(word.value) for word in node.keywords if word.arg}
    if name in _MESSAGES:
        return {
            "name": None,
            "id": None,
            "additional_kwargs": {},
            **fields,
            "type": _MESSAGES[name],
        }
    if name == "Send":
        return {SEND: fields.get("node"), "arg": fields.get("arg")}
    if name == "Interrupt":
        return {"id": "", "value": None, **fields}
    if name == "Command":
        return {"goto": [], **dict.fromkeys(COMMAND_FIELDS[:3]), **fields}
    return ast.unparse(node)
