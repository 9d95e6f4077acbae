from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from linenotes.evals.testing import Request, ScriptedServer

from .conftest import Cli

APP = """
from langchain_openai import ChatOpenAI
from langgraph.graph import START, StateGraph

from linenotes.agents import prompt


def triage(state):
    said = ChatOpenAI(model="gpt-5", max_retries=0).invoke(f"Sort {state['question']}")
    return {**state, "team": said.content}


def writer(state):
    asked = f"{prompt('tone').text} {state['question']}"
    return {**state, "answer": ChatOpenAI(model="gpt-5", max_retries=0).invoke(asked).content}


def build():
    graph = StateGraph(dict)
    graph.add_sequence([triage, writer])
    graph.add_edge(START, "triage")
    return graph
"""
EVAL = ("eval", "talk.py:build", "--dataset", "cases.jsonl", "--limit", "2", "--samples", "2")
SCORED = (*EVAL, "--scorer", "scorers.py:length")


@pytest.fixture
def server(project: Path) -> Iterator[ScriptedServer]:
    (project / "talk.py").write_text(APP)
    counted = iter(range(1, 1000))

    def say(_: Request) -> str:
        return f"said {next(counted)}"

    with ScriptedServer(say) as found, found.in_environment():
        yield found


def test_an_evaluation_is_recorded_replayed_and_looked_after(
    cli: Cli, project: Path, server: ScriptedServer
) -> None:
    recorded = cli(*SCORED, "--record", "auto", "--json")
    assert recorded.code == 0, recorded.err
    use = recorded.json["recordings"]
    assert isinstance(use, dict)
    assert (use["recorded"], use["called"], use["record"]) == (8, 8, "auto")
    replayed = cli(*SCORED, "--replay", "--strict")
    assert replayed.code == 0, replayed.err
    assert "8 of 8 model calls replayed from recordings" in replayed.out
    assert "8 of 8 model calls replayed from recordings" in cli("costs").out
    assert len(server.requests) == 8

    listed = cli("recordings", "list")
    assert "gpt-5" in listed.out
    shown = cli("recordings", "show", "c0/1")
    assert "c0 #1  triage  model gpt-5" in shown.out
    assert "human    Sort word 0" in shown.out
    assert shown.out.count("→ said") == 2
    assert cli("recordings", "verify").code == 0
    path = project / "recordings" / "cases" / "talk.jsonl.gz"
    merged = cli("recordings", "merge", str(path), str(path), "-o", "both.jsonl.gz", "--json")
    assert merged.json["calls"] == 8
    assert (project / "both.jsonl.gz").read_bytes() == path.read_bytes()


def test_a_dry_run_says_what_is_recorded_already(
    cli: Cli, project: Path, server: ScriptedServer
) -> None:
    assert cli(*SCORED, "--record", "auto").code == 0
    deeper = (*SCORED, "--samples", "5", "--dry-run")
    shown = cli(*deeper, "--record", "auto")
    said = " ".join(shown.out.split())
    assert "4 of 10 samples of talk have recordings, 8 calls in" in said
    assert "also of those that will be replayed" in said
    assert cli(*deeper, "--replay", "--json").json["recorded"] == [
        {
            "agent": "talk",
            "path": str(project / "recordings" / "cases" / "talk.jsonl.gz"),
            "samples": 4,
            "planned": 10,
            "calls": 8,
        }
    ]
    for option in ((), ("--record", "all")):
        assert cli(*deeper, *option, "--json").json["recorded"] == []


def test_unused_recordings_fail_a_strict_run_and_are_pruned(
    cli: Cli, project: Path, server: ScriptedServer
) -> None:
    cli(*SCORED, "--record", "auto", "--prompt", "tone=1")
    again = cli(*SCORED, "--record", "auto", "--strict", "--prompt", "tone=2")
    assert again.code == 1, again.err
    assert "--strict: 4 recordings had no use: c0 #0 writer, " in again.out
    assert "4 of 8 model calls replayed" in again.out
    assert "0 of 12 calls taken out" in cli("recordings", "prune").out
    would = cli("recordings", "prune", "--unused", "--dry-run", "--json")
    files = would.json["files"]
    assert isinstance(files, list)
    assert len(files[0]["removed"]) == 4
    assert "4 of 12 calls taken out" in cli("recordings", "prune", "--unused").out
    assert cli(*SCORED, "--replay", "--strict", "--prompt", "tone=2").code == 0


def test_a_call_without_a_recording_shows_the_nearest_and_the_cure(
    cli: Cli, project: Path, server: ScriptedServer
) -> None:
    cli(*SCORED, "--record", "auto", "--prompt", "tone=1")
    missed = cli(*SCORED, "--replay", "--prompt", "tone=2")
    assert missed.code == 2
    assert "writer: the model gpt-5 has no recording" in missed.err
    assert "-human    Quietly: word" in missed.err
    assert "+human    Loudly: word" in missed.err
    live = cli(*SCORED, "--live", "writer", "--prompt", "tone=2", "--json")
    assert live.code == 0, live.err
    assert live.json["replayed_calls"] == 4


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--record", "auto", "--replay"), "A replay calls nothing"),
        (("--record", "all", "--live", "triage"), "calls every agent for real"),
        (("--strict",), "Nothing is replayed"),
        (("--live", "triage,"), "--live takes AGENT"),
    ],
)
def test_wishes_that_contradict_one_another_are_told(
    cli: Cli, project: Path, options: tuple[str, ...], told: str
) -> None:
    ended = cli("eval", "app.py:build", "--dataset", "cases.jsonl", *options)
    assert ended.code == 2
    assert told in ended.err


def test_without_recordings_the_verbs_say_what_to_do(cli: Cli, project: Path) -> None:
    assert "linenotes eval AGENT --record auto" in cli("recordings", "list").out
    assert cli("recordings", "list", "--json").json["files"] == []
    assert cli("recordings", "verify").out == "Nothing is recorded.\n"
    assert cli("recordings", "prune").out == "Nothing is recorded.\n"
    shown = cli("recordings", "show", "c0")
    assert shown.code == 2
    assert "There is no recording of case 'c0'." in shown.err


def test_files_that_contradict_one_another_are_not_merged(
    cli: Cli, project: Path, server: ScriptedServer
) -> None:
    path = project / "recordings" / "cases" / "talk.jsonl.gz"
    for name in ("a", "b"):
        cli(*SCORED, "--record", "all")
        path.rename(project / f"{name}.jsonl.gz")
    files = ("recordings", "merge", "a.jsonl.gz", "b.jsonl.gz", "-o", "c.jsonl.gz")
    refused = cli(*files)
    assert refused.code == 1
    assert "conflict: c0 #0, triage: model gpt-5" in refused.out
    assert not (project / "c.jsonl.gz").exists()
    assert cli(*files, "--newest").code == 0
    assert (project / "c.jsonl.gz").read_bytes() == (project / "b.jsonl.gz").read_bytes()


@pytest.mark.parametrize("verb", ["list", "show", "prune", "verify", "merge"])
def test_each_verb_has_help_with_an_example(cli: Cli, verb: str) -> None:
    helped = cli("recordings", verb, "--help")
    assert f"linenotes recordings {verb}" in helped.out
    assert "--json" in helped.out


def test_the_documents_fit_their_schemas(cli: Cli, project: Path, server: ScriptedServer) -> None:
    from linenotes.evals import json_schema

    cli(*SCORED, "--record", "auto")
    for verb, more in (("list", ()), ("show", ("c0",)), ("prune", ("--dry-run",)), ("verify", ())):
        printed = cli("recordings", verb, *more, "--json").json
        schema = orjson.loads(json_schema(f"recordings-{verb}"))
        assert set(printed) == set(schema["required"])
