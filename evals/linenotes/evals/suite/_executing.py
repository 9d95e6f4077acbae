"""The executions that golden tests share: one evaluation a session, one run an agent and dataset.

Only cases of selected items are executed. A session that was stopped with the same plan is
continued. With several pytest workers the first that gets there executes, the others wait and
read the journals.
"""

from __future__ import annotations

import fcntl
import sys
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from linenotes.agents import AgentVersion, load_agent
from linenotes.datasets import Dataset
from linenotes.evals._arms import single_version
from linenotes.evals._continuing import find_stopped
from linenotes.evals._evaluation import Arm, Evaluation
from linenotes.evals._report import recording_lines
from linenotes.evals._storing import NotPublished
from linenotes.evals._used_up import BudgetUsedUp
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._runs import RunStore
from linenotes.evals.suite._golden_tests import GoldenTest
from linenotes.evals.suite._wishes import Wishes
from linenotes.project import LinenotesError, digest
from linenotes.tracing import RecordingPolicy

RunName = tuple[str, str, str]
"""Which run a test is judged by: the agent, the dataset, and the digest of the declared cases."""


@dataclass(frozen=True)
class Need:
    """What one run of a session has to hold."""

    agent: str
    dataset: Dataset
    """The cases that are executed."""
    samples: int


@dataclass(frozen=True)
class Executed:
    """What came of the executions of a session."""

    records: tuple[RunRecord, ...]
    """One for each need, in their order."""
    notes: tuple[str, ...] = ()
    """What is to know besides, a sentence each."""
    shared: tuple[Path, ...] = ()
    """Files that the workers of the session have in common."""


def run_name(test: GoldenTest) -> RunName:
    """Return which run the test is judged by."""
    return test.declared.agent, test.dataset.name, test.dataset.digest


def needs(
    asked: Sequence[tuple[GoldenTest, Collection[str]]], wishes: Wishes
) -> dict[RunName, Need]:
    """Return what is executed for tests, each with the ids of the cases that it needs."""
    found: dict[RunName, Need] = {}
    for test, wanted in asked:
        name, samples = run_name(test), wishes.samples(test.declared)
        before = found.get(name)
        ids = {*wanted, *(case.id for case in before.dataset.cases)} if before else wanted
        cases = tuple(case for case in test.dataset.cases if case.id in ids)
        found[name] = Need(
            agent=test.declared.agent,
            dataset=replace(test.dataset, cases=cases),
            samples=max(samples, before.samples) if before else samples,
        )
    return {name: need for name, need in found.items() if need.dataset.cases}


def execute(needs: Sequence[Need], wishes: Wishes, session: str | None) -> Executed:
    """Execute what is needed, or read what another worker of `session` has executed.

    Raises:
        LinenotesError: something that the user can mend; nothing can be judged.
    """
    arms = [Arm(_version(need, wishes), need.samples, dataset=need.dataset) for need in needs]
    if session is None:
        return _carry_out(arms, wishes)
    folder = wishes.project.make_state() / "pytest"
    folder.mkdir(parents=True, exist_ok=True)
    plan = [
        (arm.version.fingerprint, need.dataset.digest, need.samples)
        for arm, need in zip(arms, needs, strict=True)
    ]
    path = folder / f"{session}-{digest(plan)[:16]}.json"
    lock = path.with_suffix(".lock")
    with locked(lock):
        if not path.exists():
            _share(path, lambda: _carry_out(arms, wishes))
        return replace(_read(path, RunStore.of(wishes.project)), shared=(path, lock))


@contextmanager
def outside_of_tests() -> Iterator[None]:
    """Warn in the block as Python does: what pytest makes of warnings is for the user's tests."""
    with warnings.catch_warnings():
        warnings.resetwarnings()
        for quiet in (
            DeprecationWarning,
            PendingDeprecationWarning,
            ImportWarning,
            ResourceWarning,
        ):
            warnings.simplefilter("ignore", quiet)
        yield


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock between processes for the block."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _version(need: Need, wishes: Wishes) -> AgentVersion:
    return single_version(load_agent(need.agent, wishes.project), wishes.choice)


def _carry_out(arms: Sequence[Arm], wishes: Wishes) -> Executed:
    conduct, runs = wishes.conduct, RunStore.of(wishes.project)
    asked = conduct.recordings or RecordingPolicy.of(wishes.project)
    dataset = arms[0].dataset
    assert dataset is not None
    evaluation = Evaluation(wishes.project, conduct)
    stopped = find_stopped(runs, arms, dataset, (), recordings=asked)
    notes: list[str] = []
    try:
        with redirect_stdout(sys.stderr):  # what agents print is no result
            if stopped is not None:
                notes.append(
                    f"Continued run {stopped.run_id[:12]}, which was stopped with {stopped.kept} "
                    f"of {stopped.wanted} samples."
                )
                results = evaluation.resume(stopped.run_id)
            else:
                results = evaluation.run(arms, dataset, ())
    except NotPublished as error:
        results, notes = [*error.results], [*notes, str(error)]
    except BudgetUsedUp as error:
        kept = find_stopped(runs, arms, dataset, (), recordings=asked)
        if kept is None:
            raise
        return Executed(_group(runs, kept.run_id), (*notes, str(error)))
    return Executed(tuple(r.record for r in results), (*notes, *recording_lines(results)))


def _group(runs: RunStore, run_id: str) -> tuple[RunRecord, ...]:
    """Return the runs that were started together with a run."""
    plans = runs.plans()
    group = next(plan.group for plan in plans if plan.run_id == run_id)
    return tuple(runs.read(plan.run_id) for plan in plans if plan.group == group)


def _share(path: Path, work: Callable[[], Executed]) -> None:
    """Write down what came of `work` for other workers; a mistake of the user's as well."""
    told: dict[str, object] = {"runs": [], "notes": [], "error": None}
    try:
        done = work()
        told["runs"] = [record.plan.run_id for record in done.records]
        told["notes"] = done.notes
    except LinenotesError as error:
        told["error"] = str(error)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(orjson.dumps(told))
    fresh.replace(path)


def _read(path: Path, runs: RunStore) -> Executed:
    told = orjson.loads(path.read_bytes())
    if told["error"] is not None:
        raise LinenotesError(told["error"])
    return Executed(tuple(runs.read(run_id) for run_id in told["runs"]), tuple(told["notes"]))
