"""`linenotes recordings show`: the recorded calls of a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linenotes.tracing import RecordedCall

_EPILOG = """\b
Examples:
  linenotes recordings show test-banking-transfer-01
  linenotes recordings show test-banking-transfer-01/2 --agent support_desk --json
"""
_WIDTH = 100
_INDENT = "  "


@click.command("show", epilog=_EPILOG)
@click.argument("case", metavar="CASE[/SAMPLE]")
@click.option("--agent", metavar="NAME", help="Only of this agent.")
@json_option
def command(case: str, agent: str | None, as_json: bool) -> int:
    """Show the recorded calls of a case, or of one of its samples, in the order of their making."""
    from linenotes.cli._console import console, print_json
    from linenotes.cli._ledgers import printable
    from linenotes.evals import recordings_show_document
    from linenotes.project import Project
    from linenotes.tracing import recorded_calls

    name, slash, sample = case.rpartition("/")
    if slash and sample.isdecimal():
        found = recorded_calls(Project.find(), name, int(sample), agent=agent)
    else:
        found = recorded_calls(Project.find(), case, agent=agent)
    if as_json:
        print_json(recordings_show_document(found))
        return 0
    out = console()
    for line in (line for call in found for line in _lines(call)):
        out.print(printable(line), no_wrap=True, overflow="ellipsis")
    return 0


def _lines(call: RecordedCall) -> Iterator[str]:
    from linenotes.tracing import request_lines

    key = call.key
    by = f" ({call.answered_by})" if call.answered_by not in {None, key.model} else ""
    nth = f" #{key.ordinal + 1}" if key.ordinal else ""
    yield (
        f"{key.case} #{key.sample}  {key.agent}  {key.kind} {key.model}{by}{nth}  "
        f"{call.seconds:.2f} s  {call.recorded[:19]}"
    )
    for line in request_lines(call.asked):
        yield f"{_INDENT}{line}"
    yield f"{_INDENT}→ {_answer(call)}"
    yield ""


def _answer(call: RecordedCall) -> str:
    import orjson

    if call.answer == "runs":
        return "code: it runs again, and the calls inside it are replayed"
    if call.answer == "message" and isinstance(call.content, dict):
        generations = call.content["generations"]
        assert isinstance(generations, list)
        return " | ".join(_message(one) for one in generations)
    return f"{call.answer} {orjson.dumps(call.content).decode()}"


def _message(generation: object) -> str:
    import orjson

    assert isinstance(generation, dict)
    message = generation["message"]
    content = message.get("content") or message.get("tool_calls") or ""
    return content if isinstance(content, str) else orjson.dumps(content).decode()
