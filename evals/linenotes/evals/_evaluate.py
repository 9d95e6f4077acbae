"""`evaluate`: one call from an agent and a dataset to a result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

from linenotes.agents import Agent, AgentVersion, load_agent
from linenotes.datasets import Case, Dataset, load_dataset
from linenotes.evals._evaluation import Arm, Evaluation
from linenotes.evals._results import RunResult
from linenotes.evals.engine._budget import Budget
from linenotes.evals.engine._conduct import Conduct, ConductOptions
from linenotes.evals.scorers._scorer_loading import find_scorers
from linenotes.project import Project, RunError
from linenotes.tracing import RecordingPolicy, RecordMode

if TYPE_CHECKING:
    from linenotes.evals.statistics import Target

DEFAULT_SAMPLES = 3


def evaluate(
    agent: str | AgentVersion,
    dataset: str | Dataset | None = None,
    scorers: Sequence[object] | None = None,
    *,
    samples: int = DEFAULT_SAMPLES,
    split: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    target: Target = "population",
    record: RecordMode | None = None,
    replay: bool = False,
    live: Sequence[str] = (),
    project: Project | None = None,
    **how: Unpack[ConductOptions],
) -> RunResult:
    """Evaluate one version of an agent and return what was measured.

    Args:
        agent: an agent as the command line names it, or a version of one.
        dataset: a dataset's name or file; None stands for the agent's own.
        scorers: names, functions of one sample, MLflow scorers or DeepEval metrics; the first is
            the primary metric. None stands for the agent's own.
        samples: how often each case is executed.
        split: only the cases of this split.
        limit: at most so many cases, spread over the dataset.
        seed: the seed of the run; model calls derive theirs from it.
        target: what the intervals speak of: cases like these, or exactly these cases.
        record: `auto` replays the model and tool calls that are recorded and records the rest,
            `all` calls and records everything, `none` does neither. None stands for the
            project's own setting.
        replay: call nothing; what is not recorded is an error.
        live: agents that are called for real while the others are replayed.
        project: None stands for the one of the working directory.
        how: how it is carried out, such as `concurrency=50`: the fields of `Conduct`. Limits that
            a budget leaves open are those of the project.

    Raises:
        BudgetUsedUp: the budget did not do for all samples; what had finished is kept.
        LinenotesError: something that the caller can mend; what had finished is kept.
    """
    project = project or Project.find()
    if isinstance(agent, str):
        agent = AgentVersion.resolve(load_agent(agent, project))
    if isinstance(dataset, Dataset):
        cases = dataset.select(split=split, limit=limit)
    else:
        cases = choose_cases(agent.agent, dataset, split=split, limit=limit)
    wanted = scorers if scorers is not None else agent.agent.settings.scorers
    how["budget"] = Budget.of(project, how.get("budget"))
    policy = asked_of_recordings(record=record, replay=replay, live=live)
    evaluation = Evaluation(project, Conduct(recordings=policy, **how), target=target)
    return evaluation.run(
        [Arm(agent, samples)],
        cases,
        find_scorers(wanted, project),
        seed=seed,
    )[0]


def asked_of_recordings(
    *,
    record: RecordMode | None,
    replay: bool,
    live: Sequence[str] = (),
    strict: bool = False,
) -> RecordingPolicy | None:
    """Return the policy that is asked for; None where nothing is.

    Raises:
        RecordingError: the wishes contradict one another.
    """
    if record is None and not (replay or live or strict):
        return None
    return RecordingPolicy(record=record or "none", replay=replay, live=tuple(live), strict=strict)


def choose_cases(
    agent: Agent, name: str | None = None, *, split: str | None = None, limit: int | None = None
) -> Dataset:
    """Return the cases to use: of the dataset `name`, or of the one that the agent names.

    Without a split, the agent's own goes with the agent's own dataset.

    Raises:
        DatasetError: there is no such dataset or split.
        RunError: neither names a dataset.
    """
    name = _named(agent, name)
    if split is None and name == agent.settings.dataset:
        split = agent.settings.split
    return load_dataset(name, agent.project).select(split=split, limit=limit)


def find_case(agent: Agent, case_id: str, *, dataset: str | None = None) -> Case:
    """Return a case of the dataset `dataset`, or of the agent's own, whatever its split.

    Raises:
        DatasetError: there is no such dataset or case.
        RunError: neither names a dataset.
    """
    return load_dataset(_named(agent, dataset), agent.project).case(case_id)


def _named(agent: Agent, dataset: str | None) -> str:
    found = dataset or agent.settings.dataset
    if found is None:
        raise RunError(
            f"Agent {agent.name!r} has no dataset of its own. "
            "Name one: --dataset NAME, or --dataset cases.jsonl."
        )
    return found
