"""One execution outside any evaluation: run it, show it, keep its trace."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from linenotes.agents import Agent, AgentVersion
from linenotes.datasets import Case
from linenotes.evals.engine._engine import Job, run_sample
from linenotes.evals.engine._event_loop import complete
from linenotes.evals.failing._expected import Unmet, unmet
from linenotes.evals.failing._run_failures import earlier_habits
from linenotes.evals.failing._suspects import Suspect, suspect
from linenotes.evals.journal._runs import RunStore
from linenotes.evals.journal._samples import Sample, Score
from linenotes.evals.publishing._filed_traces import trace_score
from linenotes.evals.scorers._scorers import Scorer, score_sample
from linenotes.project import Project
from linenotes.tracing import FiledTrace, Message, file_trace


@dataclass(frozen=True)
class Execution:
    """What one execution gave."""

    sample: Sample
    scores: tuple[Score, ...]
    agent: Agent
    """Its earlier runs tell how it goes when it goes well."""

    @property
    def passed(self) -> bool | None:
        """Whether it passed, by the first score that says so; None where nothing does."""
        if self.sample.error is not None:
            return False if self.sample.error.kind == "agent" else None
        return next((one.value for one in self.scores if isinstance(one.value, bool)), None)

    @property
    def unmet(self) -> Unmet | None:
        """What was expected and did not come, of an execution that failed."""
        if self.passed is not False or self.sample.error is not None:
            return None
        return unmet(self.sample.expectations, self.sample.output, self._failed.name)

    @property
    def reason(self) -> str:
        """Why it did not pass; empty if it did, or nobody says."""
        if self.sample.error is not None:
            return str(self.sample.error)
        if self.passed is not False:
            return ""
        return self._failed.rationale or str(self.unmet or "")

    @cached_property
    def suspect(self) -> Suspect | None:
        """With whom its failure begins; None where it passed, or that cannot be said."""
        if self.unmet is None:
            return None
        store = RunStore.of(self.agent.project)
        usual = earlier_habits(store, self.agent.name, self._failed.name)
        return suspect(self.sample.ledger, [], self.unmet, habits=usual)

    @property
    def _failed(self) -> Score:
        return next(one for one in self.scores if one.value is False)


def run_once(
    version: AgentVersion,
    case: Case,
    *,
    scorers: Sequence[Scorer] = (),
    seed: int = 0,
    on_message: Callable[[Message], None] | None = None,
    durable: bool = False,
) -> Execution:
    """Execute one case once and score it; `on_message` hears each message as it happens.

    With `durable` a killed process leaves behind what was said; `store_execution` tidies up.

    Raises:
        LinenotesError: the user's own mistake, such as a prompt that does not exist.
    """

    async def run() -> Execution:
        # An identity of its own: running the same case again is another trace.
        job = Job(secrets.token_hex(16), version, case, 0, seed)
        sample = await run_sample(job, on_message=on_message, durable=durable)
        return Execution(sample, await score_sample(sample, scorers), version.agent)

    with version.agent.project.redactor.in_force():
        return complete(run())


def store_execution(execution: Execution, version: AgentVersion, project: Project) -> str:
    """Write the execution's trace to the project's store and return its id.

    It goes to the project's OpenTelemetry collector as well, if there is one.

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
    file_trace(filed, project)
    return trace.trace_id
