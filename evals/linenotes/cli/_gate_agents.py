"""`linenotes gate AGENT`: a version is executed, sweep after sweep, until it is decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

from linenotes.agents import load_agent
from linenotes.cli._asked import choice_of, conduct_of
from linenotes.cli._console import Live, agents_print_to_stderr
from linenotes.cli._evaluations import carry_out
from linenotes.cli._gates import Asked, finish, is_first, save_result, todays_quarantine
from linenotes.cli._interrupts import stop_on_interrupt
from linenotes.cli._main import FAIL
from linenotes.evals import (
    Arm,
    Conduct,
    GateOrder,
    check_baseline_place,
    choose_cases,
    conclude,
    find_base,
    find_scorers,
    run_gate,
    single_version,
)
from linenotes.project import Project

if TYPE_CHECKING:
    from linenotes.agents import AgentVersion
    from linenotes.cli._budget_options import Limits
    from linenotes.datasets import Dataset
    from linenotes.evals import ExecutorName, Scorer
    from linenotes.tracing import RecordMode


class Executing(TypedDict):
    """What options ask for that concerns executing."""

    fresh: bool
    dataset: str | None
    split: str | None
    limit: int | None
    samples: int
    concurrency: int
    sample_timeout: float
    sample_retries: int
    workers: int
    executor: ExecutorName
    ray_address: str | None
    seed: int
    prompts: tuple[str, ...]
    models: tuple[str, ...]
    temperature: float | None
    scorers: tuple[str, ...]
    record: RecordMode | None
    replay: bool
    live: str | None
    strict: bool
    limits: Limits


@dataclass(frozen=True)
class _Subject:
    """What is executed, on what, and who judges it."""

    candidate: AgentVersion
    cases: Dataset
    scorers: Sequence[Scorer]

    @classmethod
    def of(cls, project: Project, name: str, options: Executing) -> Self:
        agent = load_agent(name, project)
        choice = choice_of(options["prompts"], options["models"], options["temperature"])
        candidate = single_version(agent, choice)
        split, limit = options["split"], options["limit"]
        cases = choose_cases(agent, options["dataset"], split=split, limit=limit)
        own = agent.settings.scorers
        return cls(candidate, cases, find_scorers(options["scorers"] or own, project, at_hand=own))


def gate_agent(project: Project, name: str, asked: Asked, **options: Unpack[Executing]) -> int:
    """Gate a version of an agent, or measure it as the first baseline; return the exit code.

    Raises:
        LinenotesError: something that the user can mend.
    """
    conduct = _conduct(project, options)
    subject = _Subject.of(project, name, options)
    agent, dataset = subject.candidate.agent.name, subject.cases.name
    if asked.save_as is not None:
        check_baseline_place(project, asked.save_as, agent=agent, dataset=dataset)
        if is_first(project, asked, agent=agent, dataset=dataset):
            return _measure(project, conduct, subject, asked, options)
    base = find_base(
        project, asked.gate.baseline, candidate=subject.candidate, dataset=subject.cases
    )
    order = GateOrder(
        asked.gate,
        base,
        subject.candidate,
        subject.cases,
        subject.scorers,
        samples=options["samples"],
        seed=options["seed"],
        fresh=options["fresh"],
        allow_changed_cases=asked.allow_changed_cases,
        quarantine=todays_quarantine(project, dataset),
        saves=asked.save_as is not None,
    )
    return _carry_out(project, conduct, order, asked)


def _measure(
    project: Project, conduct: Conduct, subject: _Subject, asked: Asked, options: Executing
) -> int:
    """Measure the first baseline, with which nothing can be compared yet."""
    name = asked.save_as
    assert name is not None
    arms, seed = [Arm(subject.candidate, options["samples"])], options["seed"]
    return carry_out(
        project,
        lambda evaluation: evaluation.run(arms, subject.cases, subject.scorers, seed=seed),
        conduct,
        target=asked.gate.target,
        show=lambda results: save_result(project, results[0], name, asked),
    )


def _conduct(project: Project, options: Executing) -> Conduct:
    return conduct_of(
        project,
        record=options["record"],
        replay=options["replay"],
        live=options["live"],
        strict=options["strict"],
        limits=options["limits"],
        sample_timeout=options["sample_timeout"],
        concurrency=options["concurrency"],
        sample_retries=options["sample_retries"],
        workers=options["workers"],
        executor=options["executor"],
        ray_address=options["ray_address"],
    )


def _carry_out(project: Project, conduct: Conduct, order: GateOrder, asked: Asked) -> int:
    with stop_on_interrupt() as stop, Live() as live, agents_print_to_stderr():
        result = run_gate(order, project, conduct, progress=live, stop=stop)
        found = conclude(project, result, save_as=asked.save_as, promote_to=asked.promote_to)
    return finish(found, asked) or (FAIL if result.lacks_use else 0)
