from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from linenotes.agents import AgentVersion, load_agent
from linenotes.datasets import Dataset
from linenotes.evals import (
    Arm,
    Budget,
    BudgetUsedUp,
    ComparisonReport,
    Conduct,
    Evaluation,
    RunStore,
    Sample,
    comparison_lines,
    evaluate,
    find_scorers,
    report,
)
from linenotes.evals.engine._recorded_runs import is_answer, keys_for_replay
from linenotes.evals.testing import Request, ScriptedServer
from linenotes.project import Project, RecordingError, RunError
from linenotes.tracing import RecordingPolicy, live_traces, prune_recordings, trace_id_for

APP = """
import asyncio
from typing import TypedDict

from langgraph.graph import START, StateGraph

from linenotes.agents import chat_model, prompt


class State(TypedDict, total=False):
    question: object
    plan: str
    votes: list
    answer: object


def ask(text):
    return chat_model("agent").ainvoke([("user", text)])


async def planner(state):
    return {"plan": (await ask(f"Plan {state['question']}")).content}


async def voter(state):
    votes = await asyncio.gather(*(ask(f"Vote on {state['plan']}") for _ in range(3)))
    return {"votes": [vote.content for vote in votes]}


async def reviewer(state):
    said = await ask(prompt("tone").text + " Review " + " ".join(state["votes"]))
    return {"answer": said.content}


def build():
    graph = StateGraph(State)
    graph.add_sequence([planner, voter, reviewer])
    graph.add_edge(START, "planner")
    return graph.compile(name="three")
"""
SCORERS = "def answered(sample):\n    return bool(sample.output['answer'])\n"
SETTINGS = """
[tool.linenotes.models.default]
model = "gpt-5"
temperature = 1
"""
FILES = {
    "pyproject.toml": SETTINGS,
    "app.py": APP,
    "scorers.py": SCORERS,
    "prompts/tone/v1.md": "Kindly:",
    "prompts/tone/v2.md": "Coldly:",
}
CALLS = 5
"""Of one sample."""


def answered(sample: Sample) -> bool:
    return isinstance(sample.output, dict) and bool(sample.output["answer"])


@pytest.fixture
def app(make_project: Callable[..., Project]) -> Project:
    return make_project(FILES)


def _counting() -> ScriptedServer:
    counted = iter(range(10_000))

    def say(_: Request) -> str:
        return f"said {next(counted)}"

    return ScriptedServer(say)


def _outputs(samples: Mapping[tuple[str, int], Sample]) -> dict[tuple[str, int], object]:
    return {key: sample.output for key, sample in samples.items()}


def test_a_recorded_run_is_replayed_without_keys_and_calls(
    app: Project, numbers: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    with _counting() as server, server.in_environment():
        live = evaluate("app.py:build", numbers(3), [answered], samples=2, record="auto")
        assert len(server.requests) == 6 * CALLS
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    again = evaluate("app.py:build", numbers(3), [answered], samples=2, replay=True)
    assert _outputs(again.record.samples) == _outputs(live.record.samples)
    assert (again.calls, again.replayed_calls, live.replayed_calls) == (6 * CALLS, 6 * CALLS, 0)
    assert "OPENAI_API_KEY" not in os.environ
    assert again.cost == live.cost == live.spent
    assert again.spent == 0
    (line,) = report.recording_lines([again])
    assert "30 of 30 model calls replayed from recordings, $0.0012 not spent." in line
    lines = comparison_lines(ComparisonReport.of(live.record, [again.record]))
    assert any(line.startswith("candidate: 30 of 30 model calls replayed") for line in lines)


def test_what_is_replayed_is_not_paid_from_a_budget(
    app: Project, numbers: Callable[..., Dataset]
) -> None:
    with _counting() as server, server.in_environment():
        evaluate("app.py:build", numbers(3), [answered], samples=1, record="auto")
        again = evaluate(
            "app.py:build",
            numbers(4),
            [answered],
            samples=1,
            record="auto",
            budget=Budget(calls=CALLS),
        )
        assert len(server.requests) == 4 * CALLS
    assert again.replayed_calls == 3 * CALLS
    assert again.scored == 4


def _version(project: Project, tone: str) -> AgentVersion:
    return AgentVersion.resolve(load_agent("app.py:build", project), prompts={"tone": tone})


def test_a_budget_that_refuses_one_version_keeps_no_other_waiting(
    app: Project, numbers: Callable[..., Dataset]
) -> None:
    versions = [_version(app, name) for name in ("v1", "v2")]
    conduct = Conduct(
        concurrency=8,
        budget=Budget(calls=7),
        recordings=RecordingPolicy(record="auto"),
        sample_timeout=None,
    )
    with _counting() as server, server.in_environment(), pytest.raises(BudgetUsedUp):
        Evaluation(app, conduct).run(
            [Arm(version, 1) for version in versions], numbers(6), find_scorers([answered], app)
        )


def test_what_a_budget_cut_off_leaves_its_recordings_in_use(
    app: Project, numbers: Callable[..., Dataset]
) -> None:
    with _counting() as server, server.in_environment():
        evaluate("app.py:build", numbers(1), [answered], samples=1, record="auto")
        (app.root / "prompts/tone/v3.md").write_text("Briefly:")
        (app.root / "app.py").write_text(APP.replace("Plan {state", "Plan well {state"))
        with pytest.raises(BudgetUsedUp):
            evaluate(
                "app.py:build",
                numbers(1),
                [answered],
                samples=1,
                record="auto",
                budget=Budget(calls=1),
            )
    (pruned,) = prune_recordings(app, lambda _: None, unused=True)
    assert pruned.removed == ()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"replay": True, "strict": True}, "which recordings they used"),
        ({"record": "auto"}, "do not share what they record"),
    ],
)
def test_workers_refuse_what_they_cannot_do_with_recordings(
    app: Project, numbers: Callable[..., Dataset], asked: dict[str, Any], told: str
) -> None:
    arms = [Arm(_version(app, name), 1) for name in ("v1", "v2")]
    conduct = Conduct(workers=2, recordings=RecordingPolicy(**asked))
    with pytest.raises(RunError, match=told):
        Evaluation(app, conduct).run(arms, numbers(1), find_scorers([answered], app))


@pytest.mark.slow
@pytest.mark.parametrize(("recorders", "players"), [(1, 2), (2, 1)])
def test_workers_record_and_replay_as_one_process_does(
    app: Project, numbers: Callable[..., Dataset], recorders: int, players: int
) -> None:
    with _counting() as server, server.in_environment():
        live = evaluate(
            "app.py:build", numbers(4), [answered], samples=2, record="auto", workers=recorders
        )
        assert len(server.requests) == 8 * CALLS
        again = evaluate(
            "app.py:build", numbers(4), [answered], samples=2, replay=True, workers=players
        )
        assert len(server.requests) == 8 * CALLS
    assert _outputs(again.record.samples) == _outputs(live.record.samples)
    assert (again.replayed_calls, again.spent) == (8 * CALLS, 0)


def test_a_call_without_a_recording_ends_a_replay(
    app: Project, numbers: Callable[..., Dataset]
) -> None:
    with _counting() as server, server.in_environment():
        evaluate("app.py:build", numbers(1), [answered], samples=1, record="auto")
        with pytest.raises(RecordingError, match=r"Case 'c1' sample 0, planner: .*no recording"):
            evaluate("app.py:build", numbers(2), [answered], samples=1, replay=True)
        assert len(server.requests) == CALLS
    run_id = RunStore.of(app).find_begun("latest").run_id
    assert trace_id_for(run_id, "c1", 0) not in {one.trace.trace_id for one in live_traces(app)}


def test_versions_share_what_comes_before_their_difference(
    app: Project, numbers: Callable[..., Dataset]
) -> None:
    agent = load_agent("app.py:build", app)
    arms = [Arm(AgentVersion.resolve(agent, prompts={"tone": v}), 2) for v in ("v1", "v2")]
    conduct = Conduct(recordings=RecordingPolicy(record="auto"), concurrency=8)
    with _counting() as server, server.in_environment():
        first, second = Evaluation(app, conduct).run(
            arms, numbers(3), find_scorers([answered], app)
        )
        assert len(server.requests) == 6 * (CALLS + 1)
    assert first.replayed_calls + second.replayed_calls == 6 * (CALLS - 1)
    for key, sample in first.record.samples.items():
        assert isinstance(sample.output, dict)
        other = second.record.samples[key].output
        assert isinstance(other, dict)
        assert sample.output["votes"] == other["votes"]
        assert sample.output["answer"] != other["answer"]


_REPLAYING = """
import sys
import orjson
from linenotes.datasets import Case, Dataset
from linenotes.evals import evaluate

def answered(sample):
    return len(sample.output["answer"])

cases = tuple(Case(id=f"c{i}", inputs={"question": i}) for i in range(4))
mode = {"replay": True} if sys.argv[2] == "replay" else {"record": "auto"}
result = evaluate(
    "app.py:build", Dataset("numbers", cases), [answered], samples=3,
    concurrency=int(sys.argv[1]), **mode,
)
found = {}
for (case, index), sample in sorted(result.record.samples.items()):
    ids = {message.id: place for place, message in enumerate(sample.ledger) if message.sampled}
    ledger = sorted(
        [m.id if m.sampled else "", m.kind, m.sender, m.recipients, m.seen_by, m.text, m.content,
         m.model, m.tokens, m.cost, sorted(c for c in m.cause if c in ids)]
        for m in sample.ledger
    )
    scores = [[s.name, s.value] for s in result.record.scores[case, index]]
    found[f"{case}/{index}"] = [sample.output, scores, ledger]
sys.stdout.buffer.write(b"RESULT" + orjson.dumps(found, option=orjson.OPT_SORT_KEYS))
"""


def _process(*arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", _REPLAYING, *arguments], stdout=subprocess.PIPE, env=environment
    )


def _result(*arguments: str) -> bytes:
    process = _process(*arguments)
    printed, _ = process.communicate()
    assert process.returncode == 0
    return printed.partition(b"RESULT")[2]


@pytest.mark.slow
def test_replays_are_byte_identical_at_any_concurrency_and_in_any_process(app: Project) -> None:
    with _counting() as server, server.in_environment():
        live = _result("24", "record")
    one, many = _result("1", "replay"), _result("24", "replay")
    assert one == many == live
    assert len(orjson.loads(one)) == 12


@pytest.mark.slow
def test_a_run_that_is_killed_while_it_records_is_finished_without_paying_twice(
    app: Project,
) -> None:
    wanted = 4 * 3 * CALLS
    process: list[subprocess.Popen[bytes]] = []
    counted = iter(range(10_000))

    def say(_: Request) -> str:
        number = next(counted)
        if number == wanted // 2:
            process[0].send_signal(signal.SIGKILL)
        return f"said {number}"

    with ScriptedServer(say) as server, server.in_environment():
        process.append(_process("4", "record"))
        process[0].communicate()
        assert process[0].returncode == -signal.SIGKILL
        asked = len(server.requests)
        live = _result("4", "record")
        in_flight = len(server.requests) - wanted
    assert asked >= wanted // 2
    assert in_flight <= 4 * 3
    assert _result("24", "replay") == live


def test_a_run_that_is_continued_keeps_its_policy(
    app: Project, numbers: Callable[..., Dataset]
) -> None:
    run = partial(evaluate, "app.py:build", numbers(2), ["scorers.py:answered"], samples=1)
    with _counting() as server, server.in_environment():
        live = run(record="auto")
        assert live.recordings is not None
        Path(live.recordings.path).unlink()
        with pytest.raises(RecordingError, match="no recording"):
            run(replay=True)
        with pytest.raises(RecordingError, match="no recording"):
            Evaluation(app).resume("latest")
        conduct = Conduct(recordings=RecordingPolicy(record="auto"))
        (found,) = Evaluation(app, conduct).resume("latest")
    assert found.scored == 2


@pytest.mark.parametrize(
    ("error", "answer"),
    [(ValueError("no"), True), (ConnectionError("lost"), False), (RecordingError("x"), False)],
)
def test_only_what_was_answered_is_an_answer(error: Exception, *, answer: bool) -> None:
    assert is_answer(error) is answer


def test_keys_are_stood_in_for_only_while_nothing_is_called(
    app: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for policy in (RecordingPolicy(record="auto"), RecordingPolicy(live=("planner",)), None):
        with keys_for_replay(app, policy):
            assert "OPENAI_API_KEY" not in os.environ
    with keys_for_replay(app, RecordingPolicy(replay=True)):
        assert os.environ["OPENAI_API_KEY"]
