from __future__ import annotations

import pytest

from linenotes.evals.comparing._comparison import GateVerdict
from linenotes.evals.comparing._exit_codes import exit_code


@pytest.mark.parametrize(
    ("verdict", "code"),
    [("pass", 0), ("unchanged", 0), ("fail", 1), ("cannot measure", 2), ("inconclusive", 3)],
)
def test_each_verdict_has_its_code(verdict: GateVerdict, code: int) -> None:
    assert exit_code(verdict, margin=0.05) == code


def test_what_is_identical_is_not_shown_to_be_better() -> None:
    assert exit_code("unchanged", margin=0) == 3
    assert exit_code("pass", margin=0) == 0


@pytest.mark.parametrize("code", [0, 1])
def test_what_is_not_decided_may_end_otherwise(code: int) -> None:
    assert exit_code("inconclusive", margin=0.05, inconclusive=code) == code
    assert exit_code("unchanged", margin=0, inconclusive=code) == code
    assert exit_code("fail", margin=0, inconclusive=code) == 1
