from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import JsonValue

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import (
    Arm,
    Conduct,
    Evaluation,
    Interrupted,
    RunResult,
    RunStore,
    Sample,
    Stop,
    evaluate,
    find_scorers,
)
from linenotes.evals.engine._progress import Silent
from linenotes.evals.journal._records import FILE_NAME
from linenotes.project import AgentError, ModelError, Project, PromptError, RunError, ScorerError

HALF_RIGHT = "def answer(state):\n    return {'answer': state['question'] // 2 * 2}\n"
SCORERS = (
    "def correct(sample):\n    return sample.output['answer'] == sample.expectations['answer']"
)


def output(sample: Sample) -> dict[str, JsonValue]:
    assert isinstance(sample.output, dict)
    found = sample.output["answer"]
    assert isinstance(found, dict)
    return found


def journal_of(result: RunResult) -> Path:
    return _journal(result.record.plan.run_id)


def _journal(run_id: str) -> Path:
    return Path(os.environ["LINENOTES_STATE"]) / "runs" / run_id / FILE_NAME


def events(path: Path, kind: str) -> Counter[tuple[str, int]]:
    lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    return Counter((e["case"], e["sample"]) for e in lines if e["event"] == kind)


def newest(version: AgentVersion) -> str:
    plans = RunStore.of(version.agent.project).plans()
    return plans[-1].run_id


def test_an_evaluation_measures_stores_and_counts(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    result = evaluate(one_node(HALF_RIGHT), numbers(6), samples=2)
    assert result.record.plan.samples == 2
    assert result.estimates["matches_expectations"].mean == 0.5
    assert result.scored == 12
    assert (result.traces.expected, result.traces.stored) == (12, 12)
    assert result.errors == {"infrastructure": 0, "agent": 0, "scorer": 0}
    assert result.record.wall_seconds > 0


def test_several_versions_run_interleaved_in_one_group(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    version = one_node()
    evaluation = Evaluation(version.agent.project, Conduct(concurrency=1))
    results = evaluation.run(
        [Arm(version.labelled("base"), 1, baseline=True), Arm(version, 2)],
        numbers(3),
        find_scorers([], version.agent.project),
    )
    base, candidate = (result.record for result in results)
    assert base.plan.group == candidate.plan.group
    assert (len(base.samples), len(candidate.samples)) == (3, 6)
    starts = sorted(
        (sample.trace.start_ns, record.plan.version, *key)
        for record in (base, candidate)
        for key, sample in record.samples.items()
    )
    assert [start[1:3] for start in starts[:6]] == [
        (version, f"c{i}") for i in range(3) for version in ("base", "current")
    ]


def test_results_do_not_depend_on_how_many_run_at_a_time(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    node = """
from linenotes.agents import current_sample

def answer(state):
    return {"answer": current_sample().call_seed("a", "same") % 2 * state["question"]}
"""
    version = one_node(node)
    one, many = (evaluate(version, numbers(8), samples=3, concurrency=j, seed=7) for j in (1, 24))
    outputs = [{k: s.output for k, s in r.record.samples.items()} for r in (one, many)]
    assert outputs[0] == outputs[1]
    assert one.estimates == many.estimates
    other = evaluate(version, numbers(8), samples=3, seed=8)
    assert {k: s.output for k, s in other.record.samples.items()} != outputs[0]


@pytest.mark.slow
def test_forty_in_flight_straight_to_sqlite_store_all_of_300_traces(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    node = """
from langchain_core.messages import AIMessage

def answer(state):
    return {"answer": AIMessage(str(state["question"]), name="answer")}
"""

    def answered(sample: Sample) -> bool:
        return bool(output(sample)["content"])

    result = evaluate(one_node(node), numbers(60), [answered], samples=5, concurrency=40)
    assert (result.traces.expected, result.traces.stored) == (300, 300)
    assert result.scored == 300


def test_publishing_is_announced_once_where_all_was_written_on_the_way(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    version, heard = one_node(), []

    class Heard(Silent):
        def stage(self, text: str, *, total: int | None = None) -> None:
            heard.append((text, total))

    evaluation = Evaluation(version.agent.project, progress=Heard())
    evaluation.run([Arm(version, 1)], numbers(4), find_scorers([], version.agent.project))
    assert [text for text, total in heard if total is None].count("Publishing to MLflow") == 1


def test_a_stop_is_told_and_the_rest_is_done_when_the_run_is_resumed(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    version = one_node()
    stop = Stop()

    class AfterFive(Silent):
        def advance(self, sample: object = None) -> None:
            self.seen = getattr(self, "seen", 0) + 1
            stop.asked = self.seen >= 5

    evaluation = Evaluation(
        version.agent.project, Conduct(concurrency=2), progress=AfterFive(), stop=stop
    )
    scorers = find_scorers([], version.agent.project)
    with pytest.raises(Interrupted, match=r"Stopped: [5-7] of 20 samples are kept\. .*--resume"):
        evaluation.run([Arm(version, 2)], numbers(10), scorers)
    run_id = newest(version)
    (result,) = Evaluation(version.agent.project).resume(run_id[:12])
    assert result.record.plan.run_id == run_id
    assert result.scored == result.traces.stored == 20
    assert set(events(_journal(run_id), "finished").values()) == {1}
    assert len(events(_journal(run_id), "finished")) == 20


def test_a_second_interrupt_stops_at_once_and_tells_how_to_go_on(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    version = one_node()
    stop = Stop()

    class Impatient(Silent):
        def advance(self, sample: Sample | None = None) -> None:
            stop.asked = True
            raise KeyboardInterrupt

    project = version.agent.project
    evaluation = Evaluation(project, Conduct(concurrency=1), progress=Impatient(), stop=stop)
    with pytest.raises(Interrupted, match=r"Stopped: 1 of 10 samples are kept\. .*--resume"):
        evaluation.run([Arm(version, 1)], numbers(10), find_scorers([], project))


def test_a_stop_while_scoring_is_heard_too(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    stop = Stop()

    def slow(sample: Sample) -> bool:
        stop.asked = True
        return True

    version = one_node()
    project = version.agent.project
    evaluation = Evaluation(project, Conduct(concurrency=1), stop=stop)
    with pytest.raises(Interrupted, match=r"1 of 10 samples are kept"):
        evaluation.run([Arm(version, 1)], numbers(10), find_scorers([slow], project))
    assert len(events(_journal(newest(version)), "scored")) == 1


def test_what_had_finished_and_was_not_scored_is_scored_when_the_run_goes_on(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    version = one_node()
    whole = evaluate(version, numbers(3), samples=2)
    journal = _journal(newest(version))
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(line for line in lines if b'"event":"scored"' not in line))
    (again,) = Evaluation(version.agent.project).resume(newest(version))
    assert again.document() == whole.document()


def test_what_the_infrastructure_failed_is_tried_again_and_nothing_else(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset], tmp_path: Path
) -> None:
    node = f"""
from pathlib import Path

def answer(state):
    if state["question"] == 1 and not Path({str(tmp_path / "up")!r}).exists():
        raise ConnectionError("the network is down")
    if state["question"] == 2:
        raise ValueError("a bug")
    return {{"answer": state["question"]}}
"""
    result = evaluate(one_node(node), numbers(4), samples=1)
    assert result.errors == {"infrastructure": 1, "agent": 1, "scorer": 0}
    assert result.scored == 3
    assert result.estimates["matches_expectations"].mean == pytest.approx(2 / 3)
    (tmp_path / "up").touch()
    evaluation = Evaluation(Project.find(tmp_path))
    (again,) = evaluation.resume(result.record.plan.run_id, retry_errors=True)
    assert again.errors == {"infrastructure": 0, "agent": 1, "scorer": 0}
    assert (again.scored, again.traces.stored) == (4, 4)
    assert again.estimates["matches_expectations"].mean == 0.75
    assert events(journal_of(result), "finished") == {
        ("c0", 0): 1,
        ("c1", 0): 2,
        ("c2", 0): 1,
        ("c3", 0): 1,
    }


def test_an_endpoint_that_is_gone_ends_the_run_and_what_finished_is_kept(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    node = """
def answer(state):
    if state["question"] > 2:
        raise ConnectionError("connection refused")
    return {"answer": 1}
"""
    version = one_node(node)
    with pytest.raises(ModelError) as told:
        evaluate(version, numbers(30), samples=1, concurrency=1)
    run_id = newest(version)
    assert f"--resume {run_id[:12]}" in str(told.value)
    record = RunStore.of(version.agent.project).read(run_id)
    assert sum(sample.error is None for sample in record.samples.values()) == 3
    assert len(record.samples) == 3 + 5  # each of which was tried twice


def test_a_mistake_in_a_node_ends_the_run_with_its_own_message(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    node = """
from linenotes.agents import prompt

def answer(state):
    return {"answer": prompt("greet").text}
"""
    with pytest.raises(PromptError, match=r"There is no prompt 'greet'"):
        evaluate(one_node(node), numbers(3), samples=1)


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_an_agent_that_exits_the_program_is_told_and_exits_nothing(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset], kind: str
) -> None:
    node = f"import sys\n{kind} answer(state):\n    sys.exit(0)\n"
    with pytest.raises(AgentError, match=r"sys\.exit\(0\)"):
        evaluate(one_node(node), numbers(3), samples=1)


async def test_an_evaluation_can_be_called_where_an_event_loop_runs(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    result = evaluate(one_node(), numbers(2), samples=1)
    assert result.scored == 2


def test_a_scorer_that_always_fails_means_that_nothing_was_measured(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    def broken(sample: Sample) -> bool:
        raise KeyError("team")

    result = evaluate(one_node(), numbers(4), [broken], samples=1)
    assert result.estimates["broken"].mean is None
    assert result.scored == 0
    assert result.errors == {"infrastructure": 0, "agent": 0, "scorer": 4}


def test_nothing_is_begun_for_an_agent_that_does_not_build(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    version = one_node("raise RuntimeError('at import')")
    before = len(RunStore.of(version.agent.project).plans())
    with pytest.raises(AgentError, match=r"does not import"):
        evaluate(version, numbers(3))
    assert len(RunStore.of(version.agent.project).plans()) == before


@pytest.mark.parametrize("how", [{"samples": 0}, {"concurrency": 0}])
def test_counts_below_one_are_refused(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset], how: dict[str, Any]
) -> None:
    with pytest.raises(RunError, match=r"at least 1 sample"):
        evaluate(one_node(), numbers(3), **how)


def test_a_run_of_an_agent_that_has_changed_is_not_continued(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    node = "def answer(state):\n    raise ConnectionError('down')\n"
    version = one_node(node)
    result = evaluate(version, numbers(3), samples=1)
    source = version.agent.source()
    source.write_text(source.read_text().replace("'down'", "'gone'"))
    with pytest.raises(RunError, match=r"Agent 'app' has changed since run .* Start a new run"):
        Evaluation(version.agent.project).resume(result.record.plan.run_id, retry_errors=True)


def test_a_whole_run_is_published_again_whatever_became_of_agent_and_dataset(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    version = one_node(files={"own.py": SCORERS})
    result = evaluate(version, numbers(3), ["own.py:correct"], samples=1)
    version.agent.source().write_text("raise RuntimeError")
    (version.agent.source().parent / "own.py").unlink()
    (again,) = Evaluation(version.agent.project).resume(result.record.plan.run_id)
    assert again.record.samples == result.record.samples
    assert again.document() == result.document()


def test_the_cases_of_the_plan_are_run_even_if_the_golden_file_has_changed(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset], tmp_path: Path
) -> None:
    golden = tmp_path / "cases.jsonl"
    golden.write_text('{"id": "a", "inputs": {"question": 1}, "expectations": {"answer": 1}}\n')
    up = tmp_path / "up"
    node = f"""
from pathlib import Path

def answer(state):
    if not Path({str(up)!r}).exists():
        raise ConnectionError("down")
    return {{"answer": state["question"]}}
"""
    result = evaluate(one_node(node), "cases.jsonl", samples=1)
    golden.unlink()
    up.touch()
    evaluation = Evaluation(Project.find(tmp_path))
    (again,) = evaluation.resume(result.record.plan.run_id, retry_errors=True)
    assert again.estimates["matches_expectations"].mean == 1


def test_scorers_are_found_again_before_anything_is_run(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset], tmp_path: Path
) -> None:
    node = "def answer(state):\n    raise ConnectionError('down')\n"
    version = one_node(node, {"scoring/own.py": SCORERS})
    result = evaluate(version, numbers(2), ["scoring/own.py:correct"], samples=1)
    (tmp_path / "scoring" / "own.py").unlink()
    with pytest.raises(ScorerError, match=r"no file 'scoring/own.py'"):
        Evaluation(version.agent.project).resume(result.record.plan.run_id, retry_errors=True)
    assert set(events(journal_of(result), "finished").values()) == {1}


SLOW = """
import time
from pathlib import Path

def answer(state):
    time.sleep(0.05)
    return {"answer": state["question"] % 3}
"""
KILLED = """
import sys
from linenotes.datasets import Case, Dataset
from linenotes.evals import evaluate
cases = [Case(id=f"c{i}", inputs={"question": i}, expectations={"answer": i}) for i in range(30)]
evaluate("app.py:build", Dataset("numbers", tuple(cases)), samples=4, concurrency=4, seed=3)
"""


def test_a_run_that_was_killed_goes_on_as_if_nothing_had_happened(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset], tmp_path: Path
) -> None:
    version = one_node(SLOW)
    uninterrupted = evaluate(version, numbers(30), samples=4, concurrency=4, seed=3)
    runs = RunStore.of(version.agent.project)
    process = subprocess.Popen([sys.executable, "-c", KILLED], cwd=tmp_path)
    try:
        run_id = _wait_for_samples(runs, not_in=uninterrupted.record.plan.run_id, at_least=20)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    killed = runs.read(run_id)
    assert 20 <= len(killed.samples) < 120
    assert killed.running
    assert not killed.running & killed.samples.keys()

    (result,) = Evaluation(version.agent.project, Conduct(concurrency=4)).resume(run_id)
    finished = events(_journal(run_id), "finished")
    assert set(finished.values()) == {1}
    assert len(finished) == 120
    assert (result.traces.expected, result.traces.stored) == (120, 120)
    assert result.estimates == uninterrupted.estimates
    assert {k: s.output for k, s in result.record.samples.items()} == {
        k: s.output for k, s in uninterrupted.record.samples.items()
    }


def _wait_for_samples(runs: RunStore, *, not_in: str, at_least: int) -> str:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        newest_plan = runs.plans()[-1]
        path = runs.path(newest_plan.run_id) / FILE_NAME
        if newest_plan.run_id != not_in and path.read_bytes().count(b'"finished"') >= at_least:
            return newest_plan.run_id
        time.sleep(0.05)
    raise TimeoutError("the run that was to be killed did not begin")


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from linenotes.datasets import Case, Dataset
from linenotes.evals import Evaluation, RunStore, evaluate
from linenotes.project import Project, RunError

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
cases = [Case(id=f"c{i}", inputs={"question": i}, expectations={"answer": i}) for i in range(30)]
runs = RunStore.of(Project.find())
try:
    evaluate("app.py:build", Dataset("numbers", tuple(cases)), samples=1, concurrency=2)
except RunError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
run_id = runs.plans()[-1].run_id
print(len(runs.read(run_id).samples))
(result,) = Evaluation(Project.find()).resume(run_id)
print(result.scored, result.traces.stored)
"""
FILLS_THE_DISK = """
import os, resource
from pathlib import Path

def answer(state):
    if state["question"] == 10 and not Path("filled").exists():
        Path("filled").touch()
        folder = Path(os.environ["LINENOTES_STATE"]) / "runs"
        journal = max(folder.glob("*/journal.jsonl"), key=lambda path: path.stat().st_mtime)
        resource.setrlimit(
            resource.RLIMIT_FSIZE, (journal.stat().st_size + 2000, resource.RLIM_INFINITY)
        )
    return {"answer": state["question"]}
"""


def test_a_full_disk_ends_the_run_with_one_error_and_it_goes_on_when_there_is_room(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset], tmp_path: Path
) -> None:
    one_node(FILLS_THE_DISK)
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told, kept, stored = done.stdout.splitlines()
    assert told.startswith("Cannot write ")
    assert "Make room or rights there" in told
    assert 8 <= int(kept) < 30
    assert stored == "30 30"


def test_versions_may_have_cases_of_their_own(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    version, asked = one_node(), numbers(3)
    other = Dataset("other", asked.cases[:1])
    results = Evaluation(version.agent.project).run(
        [Arm(version, 1), Arm(version, 2, dataset=other)], asked, ()
    )
    assert [(r.record.plan.dataset.name, len(r.record.outcomes)) for r in results] == [
        ("numbers", 3),
        ("other", 2),
    ]
    assert len({result.record.plan.group for result in results}) == 1
