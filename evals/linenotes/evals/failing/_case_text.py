"""One case of a run as text: what failed beside what passed, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from linenotes.evals._strips import strip
from linenotes.evals.failing._beginnings import MEANING
from linenotes.evals.failing._failures_text import lost_lines
from linenotes.evals.failing._run_failures import (
    FailingCase,
    FailingSample,
    RunFailures,
    samples_of,
)
from linenotes.evals.failing._side_by_side import alone, side_by_side
from linenotes.evals.journal._plans import RunPlan


def case_lines(found: RunFailures) -> list[str]:
    """Return the one case that was asked for: why it fails, what was said, and what to do next."""
    (result,) = found.results
    head = f"{result.case}  {strip(result.passes.values())}  {result.fraction} passed"
    if not found.cases:
        return [head, "No failures.", *lost_lines(found)]
    (case,) = found.cases
    example = case.example
    told = [head, f"sample {example.sample}: {example.reason or 'failed, without a reason'}"]
    if example.suspect is not None:
        told.append(
            f"begins at {example.suspect.actor} (a suspect: {MEANING[example.suspect.why]})"
        )
    return [*told, *_conversation(found, case, example), *_commands(found, case, example)]


def _conversation(found: RunFailures, case: FailingCase, example: FailingSample) -> Iterator[str]:
    record, name = found.record, case.result.case
    failing = next(samples_of(record, name, [example.sample]), None)
    if failing is None or not failing.ledger.messages:
        return
    suspected = example.suspect.message if example.suspect else None
    beside = [] if example.beside is None else [example.beside]
    passing = next(samples_of(record, name, beside), None)
    yield ""
    if passing is None:
        yield from alone(failing.ledger, suspected=suspected)
    else:
        yield from side_by_side(failing.ledger, passing.ledger, suspected=suspected)


def _commands(found: RunFailures, case: FailingCase, example: FailingSample) -> Iterator[str]:
    if example.trace_id is None:
        return
    yield ""
    yield f"failing  linenotes trace show {example.trace_id}"
    if example.beside is not None:
        beside = found.record.outcomes[case.result.case, example.beside]
        yield f"passing  linenotes trace show {beside.trace_id}"
    if found.record.plan.imported is None:
        yield f"again    {_again(found.record.plan, case.result.case)}"


def _again(plan: RunPlan, case: str) -> str:
    """Return the command that runs a case once more with the prompts of a run."""
    by_path = Path(plan.graph.rpartition(":")[0]).stem == plan.agent
    words = ["linenotes", "run", plan.graph if by_path else plan.agent, "--case", case]
    if plan.dataset.source is not None:
        words += ["--dataset", _near(Path(plan.dataset.source))]
    for name, prompt in plan.prompts.items():
        words += ["--prompt", f"{name}={prompt.version}"]
    return shlex.join(words)


def _near(path: Path) -> str:
    """Return a path from where the command is typed, where it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
