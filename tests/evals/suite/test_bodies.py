from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.evals.suite.conftest import Run, words

Write = Callable[..., None]

HEAD = """
import pytest
from linenotes.evals import golden
desk = golden("cases.jsonl", agent="desk.py:build", samples=4)
"""


@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_a_body_may_be_async(run: Run, write: Write, mode: str) -> None:
    write(
        text=HEAD
        + """
import asyncio

@desk
async def test_answers(sample):
    await asyncio.sleep(0)
    assert sample.output["answer"] == sample.expectations["answer"]
"""
    )
    result = run("-v", "-o", f"asyncio_mode={mode}")
    assert words(result)["test_answers[c2]"] == "UNSTABLE 2/4"
    result.stdout.fnmatch_lines(["E*assert 'nothing' == 3"])


def test_an_async_body_needs_no_other_plugin(run: Run, write: Write) -> None:
    write(text=HEAD + "@desk\nasync def test_answers(sample):\n    assert sample.index < 3")
    result = run("-v", "-p", "no:asyncio", "-W", "ignore::pytest.PytestConfigWarning")
    assert words(result)["test_answers[c0]"] == "UNSTABLE 3/4"


TOGETHER = """
import asyncio
from collections import Counter

now, most, ended = Counter(), Counter(), Counter()

@desk
async def test_waits(sample):
    case = sample.case.id
    now[case] += 1
    most[case] = max(most[case], now[case])
    try:
        await asyncio.sleep(0.01 * (4 - sample.index))
        if case == "c1" and sample.index == 1:
            pytest.skip("not today")
        assert sample.output["answer"] == sample.expectations["answer"]
    finally:
        now[case] -= 1
        ended[case] += 1

def test_afterwards():
    assert most == {"c0": AT_ONCE, "c1": AT_ONCE, "c2": AT_ONCE}
    assert not any(now.values())
    assert ended["c0"] == ended["c2"] == 4
"""


@pytest.mark.parametrize("at_once", ["3", "1"])
def test_an_async_body_judges_samples_side_by_side_and_in_order(
    run: Run, write: Write, at_once: str
) -> None:
    write(text=HEAD + TOGETHER.replace("AT_ONCE", at_once))
    selected = ("-k", "(waits and not c3 and not verdict) or afterwards")
    result = run("-v", *selected, "--linenotes-concurrency", at_once)
    assert words(result) == {
        "test_waits[c0]": "PASSED",
        "test_waits[c1]": "SKIPPED (not today)",
        "test_waits[c2]": "UNSTABLE 2/4",
        "test_afterwards": "PASSED",
    }
    result.stdout.no_fnmatch_line("*RuntimeWarning*")


def test_a_body_that_skips_before_it_waits_leaves_nothing_unawaited(run: Run, write: Write) -> None:
    write(
        text=HEAD
        + """
async def judged(sample):
    assert sample.output

@desk
def test_answers(sample):
    if sample.index == 2:
        pytest.skip("not today")
    return judged(sample)
"""
    )
    result = run("-v", "-k", "c0")
    assert words(result) == {"test_answers[c0]": "SKIPPED (not today)"}
    result.stdout.no_fnmatch_line("*never awaited*")


@pytest.mark.parametrize("how", ["def", "async def"])
def test_a_body_that_exits_breaks_its_item_and_not_the_session(
    run: Run, write: Write, how: str
) -> None:
    write(
        text=HEAD
        + f"""
import sys

@desk
{how} test_exits(sample):
    if sample.case.id == "c1" and sample.index == 1:
        sys.exit(3)
"""
    )
    result = run("-v")
    assert words(result) == {
        "test_exits[c0]": "PASSED",
        "test_exits[c1]": "FAILED",
        "test_exits[c2]": "PASSED",
        "test_exits[c3]": "PASSED",
        "test_exits[verdict]": "PASSED",
    }
    result.stdout.fnmatch_lines(["sample 1: SystemExit: 3", "*1 sample on which the test broke."])


def test_fixtures_and_parameters_work_as_in_any_test(run: Run, write: Write) -> None:
    write(
        text=HEAD
        + """
@pytest.fixture
def known(tmp_path):
    yield {0, 1}

class TestDesk:
    @pytest.mark.parametrize("offset", [0, 1])
    @desk
    def test_knows(self, sample, known, offset):
        assert sample.inputs["question"] + offset in known
"""
    )
    result = run("-v")
    assert words(result) == {
        "TestDesk::test_knows[0-c0]": "PASSED",
        "TestDesk::test_knows[0-c1]": "PASSED",
        "TestDesk::test_knows[0-c2]": "FAILED",
        "TestDesk::test_knows[0-c3]": "FAILED",
        "TestDesk::test_knows[0-verdict]": "FAILED",
        "TestDesk::test_knows[1-c0]": "PASSED",
        "TestDesk::test_knows[1-c1]": "FAILED",
        "TestDesk::test_knows[1-c2]": "FAILED",
        "TestDesk::test_knows[1-c3]": "FAILED",
        "TestDesk::test_knows[1-verdict]": "FAILED",
    }
    result.stdout.fnmatch_lines(["TestDesk.knows 0 * 50% *", "TestDesk.knows 1 * 25% *"])
    assert result.stdout.str().count("linenotes: desk.py:build on cases, 4 cases") == 1


def test_an_exception_that_is_no_assertion_breaks_the_test_and_counts_as_nothing(
    run: Run, write: Write
) -> None:
    write(
        text=HEAD
        + """
@desk
def test_broken(sample):
    if sample.case.id == "c3" and sample.index == 0:
        raise KeyError("team")
"""
    )
    result = run()
    result.assert_outcomes(failed=1, passed=4)
    result.stdout.fnmatch_lines(
        ["E *KeyError: 'team'", "*Not counted: 1 sample on which the test broke."]
    )
    result.stdout.fnmatch_lines(["broken * 100% *PASS"])


def test_a_body_that_returns_something_asserts_nothing_and_is_refused(
    run: Run, write: Write
) -> None:
    write(text=HEAD + "@desk\ndef test_returns(sample):\n    return False")
    result = run("-k", "c0")
    result.stdout.fnmatch_lines(["*The test returned False, which asserts nothing*"])
    result.assert_outcomes(failed=1)


def test_skips_and_expected_failures_are_what_they_are(run: Run, write: Write) -> None:
    write(
        text=HEAD
        + """
@desk
def test_skips(sample):
    if sample.case.id == "c0":
        pytest.skip("not today")

@pytest.mark.xfail(strict=True)
@golden("cases.jsonl", agent="desk.py:build", samples=4, require="all")
def test_known(sample):
    assert sample.case.id == "c0"
"""
    )
    result = run("-v", "-k", "(skips or known) and not verdict")
    assert words(result)["test_skips[c0]"] == "SKIPPED (not today)"
    assert words(result)["test_known[c1]"] == "XFAIL"
    assert words(result)["test_known[c0]"] == "FAILED"


def test_a_sample_holds_all_that_a_test_asks_about(run: Run, write: Write) -> None:
    write(
        text=HEAD
        + """
@desk
def test_sample(sample):
    assert sample.output and sample.expectations and sample.inputs
    assert [m.sender for m in sample.ledger] == ["user", "plan", "answer"]
    assert sample.cost is None
    assert sample.seconds >= 0
    assert sample.trace_id.startswith("tr-")
"""
    )
    run().assert_outcomes(passed=5)


def test_an_agent_that_fails_is_a_failing_sample(
    run: Run, write: Write, pytester: pytest.Pytester
) -> None:
    write()
    source = (pytester.path / "desk.py").read_text(encoding="utf-8")
    broken = source.replace("wrong = ", 'assert question, "no question"\n    wrong = ')
    pytester.makepyfile(desk=broken)
    result = run("-k", "c0")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["The agent failed: AssertionError: no question*", "c0: 0/4 *"])
