from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

COUNTING = """

calls = []


def editor(state):
    calls.append(state["question"])
    flips = state["question"] == "word 5" and len(calls) % 2
    return {"answer": state["question"] if flips else state["question"].upper()}
"""


@pytest.fixture
def ran(project: Path, cli: Cli) -> str:
    """Evaluate an agent of no other test, of which one case may flip; return the run's id."""
    code = (project / "app.py").read_text(encoding="utf-8")
    start, rest = code.split("def editor(state):")
    after = rest[rest.index("\n\n\ndef build") :]
    (project / "app.py").write_text(f"# {project}\n{start}{COUNTING}{after}", encoding="utf-8")
    ended = cli(
        "eval", "app.py:build", "--dataset", "cases.jsonl", "--prompt", "tone=1",
        "--samples", "4", "--json",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    return str(ended.json["run_id"])


def test_flaky_shows_a_grid_and_a_sum(ran: str, cli: Cli) -> None:
    ended = cli("flaky", ran)
    assert ended.code == 0, ended.err
    assert "6 cases, 24 samples of 1 run" in ended.out
    assert "✓✓✓✓" in ended.out
    assert "6 cases: " in ended.out
    assert max(map(len, ended.out.splitlines())) <= 100


def test_flaky_as_json_has_every_case(ran: str, cli: Cli) -> None:
    document = cli("flaky", ran, "--json").json
    assert document["runs"] == [ran]
    assert document["n"] == 6


def test_a_case_goes_into_quarantine_and_is_checked(ran: str, cli: Cli, project: Path) -> None:
    later = str(date.today() + timedelta(days=9))  # noqa: DTZ011  the day of whoever runs it
    added = cli(
        "flaky", ran, "--quarantine", "c5", "--owner", "ana", "--expires", later, "--reason", "slow"
    )
    assert added.code == 0, added.err
    assert f"c5 (cases) until {later}, ana: slow" in added.out
    assert cli("flaky", "--check").code == 0
    text = (project / "quarantine.yaml").read_text(encoding="utf-8")
    (project / "quarantine.yaml").write_text(text.replace(later, "2026-01-01"), encoding="utf-8")
    expired = cli("flaky", "--check")
    assert expired.code == 1
    assert "expired on 2026-01-01: ana has to mend it" in expired.out
    document = cli("flaky", "--check", "--json").json
    assert len(list(document["problems"])) == 1  # type: ignore[call-overload]


def test_a_project_without_quarantine_passes_the_check(project: Path, cli: Cli) -> None:
    ended = cli("flaky", "--check")
    assert (ended.code, ended.out) == (0, "Nothing is in quarantine.\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--quarantine", "c1"), "--quarantine needs --owner"),
        (("--owner", "ana"), "need --quarantine CASE"),
        (
            ("--quarantine", "zz", "--owner", "a", "--expires", "2199-01-01", "--reason", "r"),
            "has no case 'zz'",
        ),
        (
            ("--quarantine", "c1", "--owner", "a", "--expires", "2020-01-01", "--reason", "r"),
            "'2020-01-01' is past",
        ),
        (("--metric", "nope"), "has no metric 'nope'"),
    ],
)
def test_what_cannot_be_is_exit_2(
    arguments: tuple[str, ...], message: str, ran: str, cli: Cli
) -> None:
    ended = cli("flaky", ran, *arguments)
    assert ended.code == 2
    assert message in ended.err


def test_a_broken_file_is_told_with_its_line(project: Path, cli: Cli) -> None:
    (project / "quarantine.yaml").write_text("\n- case: a\n", encoding="utf-8")
    ended = cli("flaky", "--check")
    assert ended.code == 2
    assert "quarantine.yaml:2: dataset: Field required" in ended.err
