from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import Conduct, evaluate
from linenotes.evals.workers._ray_cluster import ray_cluster
from linenotes.project import Project, RunError


def test_where_ray_is_missing_the_message_says_how_to_get_it(
    make_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with (
        pytest.raises(RunError, match=r"pip install 'linenotes\[ray\]'"),
        ray_cluster(Conduct(executor="ray"), make_project()),
    ):
        pass


def test_an_address_without_the_executor_is_refused() -> None:
    with pytest.raises(RunError, match=r"--executor ray"):
        Conduct(ray_address="auto")


@pytest.mark.slow
def test_a_cluster_that_is_not_there_is_told(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    with pytest.raises(RunError, match=r"The Ray cluster at 'auto' cannot be joined"):
        evaluate(one_node(), numbers(2), samples=1, executor="ray", ray_address="auto")
