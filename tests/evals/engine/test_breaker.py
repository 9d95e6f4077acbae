from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Case
from linenotes.evals import Failure, Job, Sample, Stop
from linenotes.evals.engine._breaker import Breaker
from linenotes.evals.engine._event_loop import complete
from linenotes.evals.engine._metered_sample import Unfinished
from linenotes.evals.journal._spending import Spending
from linenotes.project import ModelError

LOST = Failure("infrastructure", "APIConnectionError", "Connection error.")
BAD = Failure("agent", "ValueError", "bad")
OUT_OF_TIME = Failure("infrastructure", "OutOfTimeError", "The sample was still waiting.")

Note = Callable[..., None]


@pytest.fixture
def breaker() -> Breaker:
    return Breaker(patience=5, retries=2, jitter=lambda: 1.0)


@pytest.fixture
def job(one_node: Callable[..., AgentVersion]) -> Callable[..., Job]:
    version = one_node()
    return lambda case="c", run="r": Job(
        run, version, Case(id=case, inputs={"question": 1}), 0, seed=0
    )


@pytest.fixture
def note(breaker: Breaker, job: Callable[..., Job], make_sample: Callable[..., Sample]) -> Note:
    """Tell the breaker of a sample."""

    def tell(case: str, error: Failure | None = LOST, run: str = "r") -> None:
        breaker.note(job(case, run), make_sample(error=error))

    return tell


def test_several_cases_in_a_row_end_the_run_and_say_how_to_go_on(note: Note) -> None:
    for number in range(4):
        note(f"c{number}")
    with pytest.raises(ModelError, match=r"failed 5 samples in a row: APIConnectionError: .* kept"):
        note("c4")


def test_a_sample_that_got_an_answer_begins_the_count_again(note: Note) -> None:
    for number in range(20):
        note(f"c{number}", LOST if number % 5 else None)


def test_an_agent_that_fails_proves_that_its_endpoint_is_there(note: Note) -> None:
    for number in range(20):
        note(f"c{number}", LOST if number % 5 else BAD)


def test_one_bad_case_does_not_end_the_run_however_often_it_is_tried(note: Note) -> None:
    for _ in range(49):
        note("the bad one")


def test_nothing_but_failures_end_the_run_in_the_end(note: Note) -> None:
    for _ in range(49):
        note("the only one")
    with pytest.raises(ModelError, match="50 samples in a row"):
        note("the only one")


def test_a_version_whose_endpoint_is_there_does_not_hide_one_whose_is_gone(note: Note) -> None:
    for number in range(4):
        note(f"c{number}", LOST, run="gone")
        note(f"c{number}", None, run="there")
    with pytest.raises(ModelError, match="--resume gone"):
        note("c4", LOST, run="gone")


@pytest.mark.parametrize(
    ("errors", "executed"),
    [
        ([None], 1),
        ([LOST, None], 2),
        ([LOST, LOST, LOST], 3),
        ([BAD], 1),
        ([OUT_OF_TIME], 1),
    ],
)
def test_only_what_another_try_may_mend_is_executed_again(
    breaker: Breaker,
    job: Callable[..., Job],
    make_sample: Callable[..., Sample],
    errors: Sequence[Failure | None],
    executed: int,
) -> None:
    given: Iterator[Failure | None] = iter(errors)

    async def run() -> Sample:
        return make_sample(error=next(given))

    lost: list[Sample] = []
    sample = complete(breaker.persist(job(), run, lost=lost.append))
    assert isinstance(sample, Sample)
    assert len(lost) == executed - 1
    assert sample.error == errors[-1]
    assert len(list(given)) == len(errors) - executed == 0


def test_nothing_is_waited_for_and_executed_again_once_a_stop_is_asked(
    job: Callable[..., Job], make_sample: Callable[..., Sample]
) -> None:
    stop = Stop()
    breaker = Breaker(patience=5, retries=1000, stop=stop, jitter=lambda: -1e9)
    lost: list[Sample] = []

    async def run() -> Sample:
        asyncio.get_running_loop().call_later(0.05, setattr, stop, "asked", True)
        return make_sample(error=LOST)

    sample = complete(breaker.persist(job(), run, lost=lost.append))
    assert sample == Unfinished(Spending()), "what was spent went to `lost`"
    assert len(lost) == 1
