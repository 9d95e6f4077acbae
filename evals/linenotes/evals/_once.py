"""One execution outside any evaluation: run it, show it, keep its trace."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from linenotes.agents import AgentVersion
from linenotes.datasets import Case
from linenotes.evals._engine import Job, run_sample
from linenotes.evals._event_loop import complete
from linenotes.evals._publisher import trace_score
from linenotes.evals._samples import Sample, Score
from linenotes.evals._scorers import Scorer, score_sample
from linenotes.project import Project, Redactor
from linenotes.tracing import FiledTrace, Message, open_store


@dataclass(frozen=True)
class Execution:
    """What one execution gave."""

    sample: Sample
    scores: tuple[Score, ...]


def run_once(
    version: AgentVersion,
    case: Case,
    *,
    scorers: Sequence[Scorer] = (),
    seed: int = 0,
    on_message: Callable[[Message], None] | None = None,
) -> Execution:
    """Execute one case once and score it; `on_message` hears each message as it happens.

    Raises:
        LinenotesError: the user's own mistake, such as a prompt that does not exist.
    """

    async def run() -> Execution:
        # An identity of its own: running the same case again is another trace.
        job = Job(secrets.token_hex(16), version, case, 0, seed)
        sample = await run_sample(job, on_message=on_message)
        return Execution(sample, await score_sample(sample, scorers))

    with Redactor.of(version.agent.project).in_force():
        return complete(run())


def store_execution(execution: Execution, version: AgentVersion, project: Project) -> str:
    """Write the execution's trace to the project's store and return its id.

    Raises:
        StoreError: the store does not open or does not take the trace.
    """
    trace = execution.sample.trace
    filed = FiledTrace(
        trace=trace,
        version=version.label,
        scores=tuple(trace_score(score) for score in execution.scores),
        expectations=execution.sample.expectations,
    )
    with open_store(project) as store:
        store.write_traces([filed])
    return trace.trace_id
