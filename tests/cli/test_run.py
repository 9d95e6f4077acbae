from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


def test_messages_are_printed_and_the_trace_is_stored(project: Path, cli: Cli) -> None:
    ended = cli("run", "app.py:build", "hello there")
    assert ended.code == 0
    assert "user → writer" in ended.out
    assert "hello there" in ended.out
    trace_id = ended.out.partition("trace ")[2].split()[0]
    shown = cli("trace", "show", trace_id)
    assert shown.code == 0
    assert "user → writer" in shown.out


def test_the_document_holds_output_and_messages(project: Path, cli: Cli) -> None:
    ended = cli("run", "app.py:build", "--input", '{"question": "hi"}', "--json")
    document = ended.json
    assert document.keys() >= {"trace_id", "output", "messages"}
    output, messages = document["output"], document["messages"]
    assert isinstance(output, dict)
    assert isinstance(messages, list)
    assert output["answer"] == "HI"
    assert messages[0].keys() >= {
        "id", "kind", "sender", "recipients", "cause", "text", "tokens"
    }  # fmt: skip
    shown = cli("trace", "show", str(document["trace_id"])[:12], "--json").json
    assert shown.keys() >= {"trace_id", "agent", "case", "sample", "messages"}
    assert shown["messages"] == messages


def test_a_case_is_scored(project: Path, cli: Cli) -> None:
    ended = cli("run", "app.py:build", "--case", "c3", "--dataset", "cases.jsonl")
    assert "matches_expectations: True" in ended.out


def test_an_agent_that_fails_keeps_its_trace_and_exits_1(project: Path, cli: Cli) -> None:
    source = (project / "app.py").read_text(encoding="utf-8")
    broken = source.replace("    loud = ", '    raise RuntimeError("no paper left")\n    loud = ')
    (project / "app.py").write_text(broken, encoding="utf-8")
    ended = cli("run", "app.py:build", "hello")
    assert ended.code == 1
    assert "RuntimeError: no paper left" in ended.out
    assert "user → writer" in ended.out


def test_text_from_strangers_cannot_touch_the_terminal(project: Path, cli: Cli) -> None:
    ended = cli("run", "app.py:build", "red \x1b[31m [bold]not bold[/bold] \x07 bell")
    assert ended.code == 0
    assert "\x1b[31m" not in ended.out
    assert "\x07" not in ended.out
    assert "[bold]not bold[/bold]" in ended.out


def test_input_that_is_no_json_object_is_exit_2(project: Path, cli: Cli) -> None:
    for text in ("{", "[1]", "3"):
        assert cli("run", "app.py:build", "--input", text).code == 2


def test_a_trace_that_is_not_there_is_exit_2(project: Path, cli: Cli) -> None:
    ended = cli("trace", "show", "tr-0123456789abcdef")
    assert ended.code == 2
    assert "0123456789abcdef" in ended.err
