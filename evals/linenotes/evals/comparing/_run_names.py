"""Which runs a person means: by id, by age, or by the version that they are of.

A version may have many runs, of one dataset or of several. It stands for the newest one with a
finished sample on the dataset that all the runs to be compared share; where there is no such
dataset, or several agents have the version, nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Sequence

from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import FILE_NAME, RunRecord, has_finished
from linenotes.evals.journal._runs import RunStore
from linenotes.project import RunError

_Place = tuple[str, str]
"""Agent and digest of the selected cases."""


def read_runs(store: RunStore, names: Sequence[str]) -> list[RunRecord]:
    """Return the runs that `names` mean.

    A name is a run's id or a unique prefix of it, `latest`, `latest~1`, a version's label, or
    `AGENT@LABEL`.

    Raises:
        RunError: no run is meant, or more than one.
    """
    plans = store.plans()
    versions = [_of_version(store, plans, name) for name in names]
    exact = [
        store.find(name) if not labelled else None
        for name, labelled in zip(names, versions, strict=True)
    ]
    for name, labelled in zip(names, versions, strict=True):
        _refuse_a_prefix(name, labelled, plans)
    digest = _shared_dataset(names, versions, exact)
    found = [
        one or _newest(name, labelled, digest)
        for name, one, labelled in zip(names, exact, versions, strict=True)
    ]
    return [store.read(plan.run_id) for plan in found]


def _of_version(store: RunStore, plans: Sequence[RunPlan], name: str) -> list[RunPlan]:
    """Return the runs of the version that `name` may mean, oldest first, with finished samples."""
    agent, _, label = name.partition("@")
    return [
        plan
        for plan in plans
        if plan.version == name or (label and (plan.agent, plan.version) == (agent, label))
        if has_finished(store.path(plan.run_id) / FILE_NAME)
    ]


def _refuse_a_prefix(name: str, labelled: Sequence[RunPlan], plans: Sequence[RunPlan]) -> None:
    ids = [plan.run_id for plan in plans if plan.run_id.startswith(name)]
    if labelled and ids:
        raise RunError(
            f"{name!r} could be the version of that name or run {ids[0][:12]}. Give more of the "
            f"run's id, or {labelled[-1].agent}@{name} for the version."
        )


def _shared_dataset(
    names: Sequence[str], versions: Sequence[Sequence[RunPlan]], exact: Sequence[RunPlan | None]
) -> str | None:
    """Return the digest of the cases that the newest runs of the named versions share."""
    asked = [labelled for labelled in versions if labelled]
    given = {plan.dataset.digest for plan in exact if plan}
    shared = [{plan.dataset.digest for plan in labelled} for labelled in asked]
    digests = set.intersection(*shared, *([given] if given else [])) if shared else given
    if asked and not digests:
        raise RunError(
            f"No dataset has runs of all of {', '.join(names)}, so their cases differ. Evaluate "
            "them on one dataset, or name the runs by their ids."
        )
    newest_first = (plan.dataset.digest for plan in reversed(asked[0])) if asked else iter(())
    return next((digest for digest in newest_first if digest in digests), None)


def _newest(name: str, labelled: Sequence[RunPlan], digest: str | None) -> RunPlan:
    there = [plan for plan in labelled if plan.dataset.digest == digest]
    agents = sorted({plan.agent for plan in there})
    if len(agents) > 1:
        either = " or ".join(f"{agent}@{name}" for agent in agents)
        raise RunError(f"{name!r} is a version of several agents. Say {either}.")
    return there[-1]
