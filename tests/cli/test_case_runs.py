from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

RUN = ("run", "app.py:build", "--dataset", "cases.jsonl", "--case", "c3")
LOOKING_UP = """

def writer(state):
    return {"draft": "NOTHING"}


def editor(state):
    return {"answer": state["draft"]}
"""

WORDING_ANEW = """

def writer(state):
    number = state["question"].strip("What is #?")
    return {"draft": f"{id(state)} tells: ANS-{10 if number == '3' else number}"}


def editor(state):
    return {"answer": "So " + state["draft"]}
"""
HAS = """
def has(sample):
    return sample.output["answer"].endswith(sample.expectations["answer"])
"""


@pytest.fixture
def wrong(project: Path) -> Path:
    """The project, with a writer who gives a wrong answer and an editor who repeats it."""
    code = (project / "app.py").read_text(encoding="utf-8")
    start, rest = code.split("def writer(state):")
    after = rest[rest.index("\n\n\ndef build") :]
    (project / "app.py").write_text(start + LOOKING_UP + after, encoding="utf-8")
    case = (
        '{"id": "c3", "inputs": {"question": "What is #3?"}, "expectations": {"answer": "ANS-3"}}'
    )
    (project / "cases.jsonl").write_text(case, encoding="utf-8")
    return project


def test_the_first_line_says_that_it_passed(project: Path, cli: Cli) -> None:
    ended = cli(*RUN)
    first, *told = ended.out.splitlines()
    assert first.startswith("c3  v2  PASS   0 calls, ")
    assert told[0].split()[:3] == ["user", "→", "writer"]
    assert "←" not in ended.out


def test_the_first_line_says_what_was_expected_and_the_suspect_is_marked(
    wrong: Path, cli: Cli
) -> None:
    ended = cli(*RUN)
    said = ended.out.splitlines()[0].partition("FAIL")[2]
    assert said.startswith("   expected ANS-3, got NOTHING   0 calls, ")
    (marked,) = [line for line in ended.out.splitlines() if "←" in line]
    assert marked.split()[:3] == ["writer", "→", "editor"]
    assert marked.endswith("NOTHING  ← first message without the expected answer")
    assert max(map(len, ended.out.splitlines())) <= 100


def test_the_document_says_so_too(wrong: Path, cli: Cli) -> None:
    document = cli(*RUN, "--json").json
    assert (document["passed"], document["reason"]) == (False, "expected ANS-3, got NOTHING")
    suspect = document["suspect"]
    assert isinstance(suspect, dict)
    assert (suspect["actor"], suspect["why"]) == ("writer", "lacks the answer")


def test_an_error_of_the_agent_fails(wrong: Path, cli: Cli) -> None:
    code = (wrong / "app.py").read_text(encoding="utf-8")
    broken = code.replace(
        '    return {"answer"', '    raise RuntimeError("no paper left")\n    return {"answer"'
    )
    (wrong / "app.py").write_text(broken, encoding="utf-8")
    ended = cli(*RUN)
    assert ended.code == 1
    assert "FAIL   RuntimeError: no paper left" in ended.out.splitlines()[0]


def test_what_a_scorer_says_of_no_pass_is_shown_without_a_verdict(project: Path, cli: Cli) -> None:
    settings = (
        '[tool.linenotes.agents.app]\ngraph = "app.py:build"\nscorers = ["scorers.py:length"]\n'
    )
    with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(settings)
    ended = cli("run", "app", "--dataset", "cases.jsonl", "--case", "c3")
    assert ended.out.splitlines()[0].startswith("c3  v2  done   0 calls")
    assert "length: 6" in ended.out
    assert (
        cli("run", "app", "--dataset", "cases.jsonl", "--case", "c3", "--json").json["passed"]
        is None
    )


def test_an_earlier_run_tells_who_answers_where_everybody_words_it_anew(
    wrong: Path, cli: Cli
) -> None:
    code = (wrong / "app.py").read_text(encoding="utf-8")
    start, rest = code.split(LOOKING_UP)
    case = (wrong / "cases.jsonl").read_text(encoding="utf-8")
    files = {
        "app.py": start + WORDING_ANEW + rest,
        "cases.jsonl": "\n".join(case.replace("3", number) for number in "123"),
        "scorers.py": HAS,
        "pyproject.toml": '[tool.linenotes.agents.words_anew]\ngraph = "app.py:build"\n'
        'dataset = "cases.jsonl"\nscorers = ["scorers.py:has"]\n',
    }
    for name, text in files.items():
        (wrong / name).write_text(text, encoding="utf-8")
    case_run = ("run", "words_anew", "--case", "c3")
    assert "←" not in cli(*case_run).out
    assert cli("eval", "words_anew", "--samples", "1").code == 0
    (marked,) = [line for line in cli(*case_run).out.splitlines() if "←" in line]
    assert marked.split()[:3] == ["writer", "→", "editor"]
