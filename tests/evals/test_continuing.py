from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import (
    Arm,
    Evaluation,
    RunResult,
    RunStore,
    Sample,
    compare_all,
    evaluate,
    find_scorers,
    find_stopped,
    report,
)
from linenotes.evals.engine._progress import Silent
from linenotes.evals.journal._journal import Journal
from linenotes.evals.journal._records import FILE_NAME
from linenotes.project import Project, RunError

CHANCE = """
from linenotes.agents import current_sample

def answer(state):
    return {"answer": state["question"] + current_sample().call_seed("a", "same") % 2}
"""
DOWN = """
from pathlib import Path

def answer(state):
    if state["question"] == 1 and not Path("up").exists():
        raise ConnectionError("the network is down")
    return {"answer": state["question"]}
"""


class Notes(Silent):
    """Hears what the user is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)


def outputs_of_nothing(sample: Sample) -> bool:
    return sample.output is None


def outputs(result: RunResult) -> dict[tuple[str, int], object]:
    return {key: sample.output for key, sample in result.record.samples.items()}


def journal_of(project: Project, run_id: str) -> Path:
    return RunStore.of(project).path(run_id) / FILE_NAME


def stop_after(path: Path, samples: int) -> None:
    """Leave in a journal what a run that was killed leaves there, with one more sample begun."""
    lines = path.read_bytes().splitlines(keepends=True)
    ends = [i for i, line in enumerate(lines) if b'"event":"scored"' in line]
    running = b'{"event":"started","case":"c0","sample":1}\n'
    path.write_bytes(b"".join(lines[: ends[samples - 1] + 1]) + running)


def test_a_run_that_is_topped_up_is_as_if_it_had_been_started_with_all_samples(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    from mlflow import MlflowClient

    version = one_node(CHANCE)
    project = version.agent.project
    small, large = (evaluate(version, numbers(6), samples=k, seed=7) for k in (2, 5))
    run_id = small.record.plan.run_id
    (grown,) = Evaluation(project).resume(run_id, samples=5)
    assert grown.record.plan.run_id == run_id
    assert grown.record.plan.samples == 5
    assert outputs(grown) == outputs(large)
    assert orjson.dumps(grown.estimates) == orjson.dumps(large.estimates)
    assert grown.repeats == large.repeats
    assert "n=6 cases, K=5 samples" in report.title([grown])
    assert (grown.traces.expected, grown.traces.stored) == (30, 30)
    run = MlflowClient(project.tracking_uri).get_run(run_id)
    assert run.data.metrics["samples"] == 30
    assert run.data.metrics["matches_expectations"] == large.estimates["matches_expectations"].mean
    assert "n=6 cases, K=5" in run.data.tags["mlflow.note.content"]
    assert run.info.status == "FINISHED"


def test_samples_are_never_taken_away(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    version = one_node()
    result = evaluate(version, numbers(2), samples=3)
    with pytest.raises(RunError, match=r"has 3 samples of each case, and none is ever taken away"):
        Evaluation(version.agent.project).resume(result.record.plan.run_id, samples=2)
    assert RunStore.of(version.agent.project).read("latest").plan.samples == 3


def test_an_agent_that_has_changed_is_not_topped_up(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    version = one_node()
    result = evaluate(version, numbers(2), samples=1)
    source = version.agent.source()
    source.write_text(source.read_text().replace("'answer':", "'answer': 1 +"))
    with pytest.raises(RunError, match=r"has changed since run"):
        Evaluation(version.agent.project).resume(result.record.plan.run_id, samples=2)
    assert RunStore.of(version.agent.project).read("latest").plan.samples == 1


def test_what_was_started_together_is_topped_up_together_and_a_baseline_keeps_its_one(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    version = one_node()
    project = version.agent.project
    arms = [
        Arm(version.labelled("base"), 1, baseline=True),
        Arm(version.labelled("a"), 2),
        Arm(version.labelled("b"), 2),
    ]
    started = Evaluation(project).run(arms, numbers(3), find_scorers([], project))
    grown = Evaluation(project).resume(started[2].record.plan.run_id, samples=4)
    assert [(r.record.plan.version, r.record.plan.samples, r.scored) for r in grown] == [
        ("base", 1, 3),
        ("a", 4, 12),
        ("b", 4, 12),
    ]
    assert compare_all([r.record for r in grown], target="population")


def test_errors_of_the_infrastructure_are_executed_again_when_that_is_wished(
    one_node: Callable[..., AgentVersion],
    numbers: Callable[..., Dataset],
    tmp_path: Path,
) -> None:
    version = one_node(DOWN)
    project = version.agent.project
    result = evaluate(version, numbers(3), samples=1)
    name = result.record.plan.run_id[:12]
    (line,) = (line for line in report.failures(result) if "infrastructure" in line)
    assert f"`linenotes eval --resume {name} --retry-errors` tries again" in line
    (tmp_path / "up").touch()
    (as_it_was,) = Evaluation(project).resume(name)
    assert as_it_was.errors["infrastructure"] == 1
    (mended,) = Evaluation(project).resume(name, retry_errors=True)
    assert mended.errors["infrastructure"] == 0
    assert (mended.scored, mended.traces.stored) == (3, 3)


def test_an_evaluation_that_was_stopped_is_found_by_its_plan(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    version = one_node()
    project = version.agent.project
    runs, scorers = RunStore.of(project), find_scorers([], project)
    cases, same = numbers(3), [Arm(version, 2)]
    first = evaluate(version, cases, samples=2, seed=1, concurrency=1)
    run_id = first.record.plan.run_id
    assert find_stopped(runs, same, cases, scorers, seed=1) is None, "it is whole"
    stop_after(journal_of(project, run_id), 2)
    found = find_stopped(runs, same, cases, scorers, seed=1)
    assert found is not None
    assert (found.run_id, found.kept, found.wanted) == (run_id, 2, 6)
    assert find_stopped(runs, same, cases, scorers, seed=2) is None
    assert find_stopped(runs, [Arm(version, 3)], cases, scorers, seed=1) is None
    assert find_stopped(runs, same, numbers(2), scorers, seed=1) is None
    assert find_stopped(runs, [*same, *same], cases, scorers, seed=1) is None
    other = find_scorers([outputs_of_nothing], project)
    assert find_stopped(runs, same, cases, other, seed=1) is None
    with Journal(journal_of(project, run_id)):
        assert find_stopped(runs, same, cases, scorers, seed=1) is None, "it is being carried out"
    evaluate(version, cases, samples=2, seed=1)
    assert find_stopped(runs, same, cases, scorers, seed=1) is None, "a newer one is whole"


def test_who_continues_is_told_what_is_kept_what_ran_and_what_was_torn(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    version = one_node()
    project = version.agent.project
    whole = evaluate(version, numbers(3), samples=2, concurrency=1)
    expected = outputs(whole)  # read before the file of samples is another
    run_id = whole.record.plan.run_id
    path = journal_of(project, run_id)
    stop_after(path, 2)
    with path.open("ab") as file:
        file.write(b'{"event":"fin')
    notes = Notes()
    (result,) = Evaluation(project, progress=notes).resume(run_id)
    torn, kept = notes.lines
    assert "bytes that were torn off in writing were cut" in torn
    assert kept == (
        f"Run {run_id[:12]}: 2 of 6 samples are kept, 4 are executed. c0#1 had not ended."
    )
    assert outputs(result) == expected
    assert result.estimates == whole.estimates


def test_what_an_edited_scorer_has_said_is_said_anew_when_a_run_goes_on(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    own = "def size(sample):\n    return 1.0\n\ndef always(sample):\n    return True\n"
    version = one_node(files={"own.py": own})
    project = version.agent.project
    worth = 'value("2*size", failed=0)'
    specs = ["own.py:size", "own.py:always", worth]
    begun = evaluate(version, numbers(3), specs, samples=2).record
    assert begun.plan.codes.keys() == {"size", "always"}
    stop_after(journal_of(project, begun.plan.run_id), samples=2)
    (project.root / "own.py").write_text("# shorter\n" + own, encoding="utf-8")
    heard = Notes()
    Evaluation(project, progress=heard).resume(begun.plan.run_id)
    assert "edited" not in " ".join(heard.lines)
    stop_after(journal_of(project, begun.plan.run_id), samples=2)
    (project.root / "own.py").write_text(own.replace("1.0", "3.00"), encoding="utf-8")
    (result,) = Evaluation(project, progress=heard).resume(begun.plan.run_id)
    (line,) = [line for line in heard.lines if "edited" in line]
    assert "edited since it scored: size. All" in line
    assert result.estimates["size"].mean == 3
    assert result.estimates["value"].mean == 6
    assert result.record.plan.metrics == begun.plan.metrics
    assert result.record.plan.codes["always"] == begun.plan.codes["always"]
    assert result.record.plan.codes["size"] != begun.plan.codes["size"]


def test_a_run_that_grows_is_not_of_two_scorers(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    version = one_node(files={"own.py": "def size(sample):\n    return 1.0\n"})
    project = version.agent.project
    begun = evaluate(version, numbers(3), ["own.py:size"], samples=2).record
    (project.root / "own.py").write_text("def size(sample):\n    return 3.00\n", encoding="utf-8")
    (result,) = Evaluation(project).resume(begun.plan.run_id)
    assert result.estimates["size"].mean == 1, "nothing is missing, so nobody is asked"
    (result,) = Evaluation(project).resume(begun.plan.run_id, samples=3)
    assert result.estimates["size"].mean == 3


def test_runs_are_sorted_as_they_were_started_whatever_the_clock_did(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    version = one_node()
    project = version.agent.project
    first = evaluate(version, numbers(1), samples=1).record.plan
    path = journal_of(project, first.run_id)
    plan, _, rest = path.read_bytes().partition(b"\n")
    year = str(first.created.year).encode()
    late = plan.replace(b'"created":"' + year, b'"created":"2999')
    assert late != plan
    path.write_bytes(late + b"\n" + rest)
    second = evaluate(version, numbers(1), samples=1).record.plan
    assert RunStore.of(project).find("latest").run_id == second.run_id
