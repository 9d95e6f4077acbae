"""Where samples are executed: in this process, in others of this machine, or in a Ray cluster.

Whatever it is, the driver decides which sample is next, and it alone writes the journal, scores
and publishes; so results do not depend on the executor.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial

from linenotes.agents import AgentVersion
from linenotes.evals.engine._conduct import Conduct
from linenotes.evals.engine._engine import OnCutOff, Run, run_here
from linenotes.evals.engine._progress import Progress
from linenotes.evals.engine._purse import Purse
from linenotes.evals.journal._plans import RunPlan, agent_again
from linenotes.evals.workers._messages import Order
from linenotes.evals.workers._pool import Pool
from linenotes.evals.workers._process_worker import ProcessWorker
from linenotes.evals.workers._ray_cluster import ray_cluster
from linenotes.evals.workers._ray_worker import RayWorker
from linenotes.project import AgentError, Project, RunError
from linenotes.tracing import RecordingPolicy


@asynccontextmanager
async def executor(
    conduct: Conduct,
    project: Project,
    plans: Sequence[RunPlan],
    purse: Purse,
    progress: Progress,
    on_given_up: OnCutOff,
) -> AsyncIterator[Run]:
    """Yield what executes a job; workers that it takes live as long as the block.

    What samples of this process had spent that are given up goes to `on_given_up`.

    Raises:
        LinenotesError: a worker cannot make an agent or its cases again.
    """
    if not conduct.is_sharded:
        limit = conduct.sample_timeout
        yield partial(run_here, purse=purse, time_limit=limit, on_given_up=on_given_up)
        return
    size = min(conduct.workers, conduct.concurrency)
    progress.stage(f"Starting {size} workers")
    is_here = conduct.ray_address is None
    order = Order(
        root=project.root if is_here else None,
        settings=project.settings,
        conduct=conduct,
        plans=tuple(plans),
        durable=is_here,
    ).line()
    with ExitStack() as cluster:
        if conduct.executor == "ray":
            cluster.enter_context(ray_cluster(conduct, project))
            pool = _ray_pool(order, conduct, size)
        else:
            pool = Pool(partial(ProcessWorker.start, order), size=size)
        async with pool:
            yield pool.run


def _ray_pool(order: bytes, conduct: Conduct, size: int) -> Pool:
    hire = partial(RayWorker.start, order, jobs=conduct.concurrency)
    # The spare one must find a place where the others have taken all that there is.
    return Pool(partial(hire, cpus=1), size=size, spare=partial(hire, cpus=0))


def refuse_unnamed(version: AgentVersion) -> None:
    """Refuse an agent that another process could not make again from its name.

    Raises:
        AgentError: it was made or changed in Python, after it was loaded.
    """
    agent = version.agent
    try:
        named = agent_again(agent.name, agent.settings.graph, agent.project)
        is_same = replace(version, agent=named).fingerprint == version.fingerprint
    except AgentError:
        is_same = False
    if not is_same:
        raise AgentError(
            f"Workers cannot make agent {agent.name!r} again: {agent.settings.graph!r} gives them "
            "no agent or another one. Name one that is whole when it is imported, or use 1 worker."
        )


def refuse_unshared(conduct: Conduct, policy: RecordingPolicy, agents: Sequence[str]) -> None:
    """Refuse what workers cannot do with the recordings of `agents`, one for each version.

    Raises:
        RunError: they would not do what was asked for.
    """
    if not conduct.is_sharded:
        return
    if policy.strict:
        raise RunError(
            "Workers do not tell which recordings they used, so strict means nothing. Leave it "
            "out, or use 1 worker in this process."
        )
    if policy.records and len(agents) > len(set(agents)):
        raise RunError(
            "Versions that run in several workers do not share what they record. Record one "
            "version at a time, or use 1 worker in this process."
        )
    if policy.records and conduct.ray_address is not None:
        raise RunError(
            "What workers on other machines record would stay there. Leave out the recording, or "
            "the Ray address."
        )
