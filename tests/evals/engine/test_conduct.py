from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from linenotes.evals import Budget, Conduct, ConductOptions
from linenotes.project import RunError


def test_every_field_is_an_option_of_evaluate() -> None:
    options = {field.name for field in fields(Conduct)} - {"recordings"}
    assert ConductOptions.__annotations__.keys() == options


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"concurrency": 0}, "at least 1 sample at a time, not 0"),
        ({"workers": 0}, "at least 1 worker, not 0"),
        ({"executor": "slurm"}, "no executor 'slurm'"),
        ({"ray_address": "auto"}, "needs the executor 'ray'"),
        ({"sample_timeout": 0}, "more than 0 seconds"),
        ({"sample_retries": -1}, "0 or more times"),
        ({"workers": 2, "budget": Budget(calls=9)}, "do not share a budget"),
    ],
)
def test_what_nothing_could_run_with_is_refused(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(RunError, match=told):
        Conduct(**wrong)
