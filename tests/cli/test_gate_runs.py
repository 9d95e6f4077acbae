"""`linenotes gate` on runs that are there, and the ways in which a gate fails or saves at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli, Ended

AGENT = ("app.py:build", "--dataset", "cases.jsonl")


@pytest.fixture
def imported(project: Path, cli: Cli) -> Path:
    """Results of another tool: `old`, then `new`, which is worse."""
    for name, rate in (("old", 1), ("new", 3)):
        rows = [f"c{c},{s},{int(c % 5 >= rate)}" for c in range(60) for s in range(3)]
        text = "\n".join(["case,sample,solved", *rows])
        (project / f"{name}.csv").write_text(text, encoding="utf-8")
        how = ("--agent", "airline", "--dataset", "flights")
        assert cli("import", f"{name}.csv", *how).code == 0
    return project


def test_imported_results_are_gated_against_one_another(imported: Path, cli: Cli) -> None:
    ended = cli("gate", "latest", "--baseline", "latest~1")
    assert ended.code == 1, ended.err
    assert ended.out.startswith("FAIL          solved 80% \u2192 40%: -40 points (95% ")
    text = " ".join(ended.out.split())
    assert "n=60, K=3 against 3, exactly these cases" in text
    assert "Decided once, by all samples that there are; nothing was executed." in text
    assert "imported file: old.csv \u2192 new.csv" in text
    assert all(len(line) <= 100 for line in ended.out.splitlines())


def test_imported_results_become_the_baseline_of_the_next(imported: Path, cli: Cli) -> None:
    first = cli("gate", "latest~1", "--save-baseline", "champion", "--json")
    assert first.code == 0, first.err
    saved: dict[str, Any] = first.json
    assert (saved["verdict"], saved["calls"], saved["cost"]) == (None, 0, 0)
    assert saved["saved"].endswith("baselines/flights/airline/champion.jsonl.gz")
    document: dict[str, Any] = cli("gate", "latest", "--save-baseline", "champion", "--json").json
    assert (document["verdict"], document["saved"], document["exit_code"]) == ("fail", None, 1)
    assert document["metrics"]["solved"]["looks"] == []
    same = cli("gate", "latest~1", "--save-baseline", "champion")
    assert same.code == 0
    assert same.out.startswith("UNCHANGED     the same run as champion: nothing to decide.")
    assert "champion stands as it is." in same.out


def test_what_only_concerns_executing_is_refused_for_a_run(imported: Path, cli: Cli) -> None:
    run = ("gate", "latest", "--baseline", "latest~1")
    refused = cli(*run, "--samples", "10", "-j", "2", "--fresh", "--budget-usd", "1", "--replay")
    assert refused.code == 2
    assert "is there already, so nothing is executed. Leave out --fresh" in refused.err
    for option in ("--samples", "--concurrency", "--budget-usd", "--replay"):
        assert option in refused.err
    assert "Leave out --promote." in cli(*run, "--promote").err
    told = cli("gate", "latest", "--baseline", "@v1").err
    assert "no saved baseline '@v1' on 'flights'" in told
    assert "here nothing runs: name a run of it by its id, or as latest~1." in told


def test_what_is_neither_an_agent_nor_a_run_is_told(project: Path, cli: Cli) -> None:
    ended = cli("gate", "suport_desk")
    assert ended.code == 2
    assert "Did you mean 'support_desk'?" in ended.err
    assert "As a run: There is no run 'suport_desk'" in ended.err


@pytest.fixture
def run(project: Path, cli: Cli) -> str:
    """A run of the good version, that was no gate's."""
    ended = cli("eval", *AGENT, "--prompt", "2", "--samples", "3", "--json")
    return str(ended.json["run_id"])


def test_a_run_of_the_same_version_becomes_a_baseline_without_a_call(
    run: str, project: Path, cli: Cli
) -> None:
    saving = ("--prompt", "2", "--baseline", run[:12], "--save-baseline", "champion")
    document: dict[str, Any] = cli("gate", *AGENT, *saving, "--json").json
    assert (document["verdict"], document["calls"]) == ("unchanged", 0)
    assert (project / "baselines/cases/app/champion.jsonl.gz").exists()
    again = cli("gate", *AGENT, "--prompt", "2", "--save-baseline", "champion", "--promote")
    assert again.code == 0
    assert "champion stands as it is." in again.out
    assert "champion stays where it is: nothing was decided that could move it." in again.out


def test_what_is_identical_is_not_better(run: str, cli: Cli) -> None:
    asked = ("gate", *AGENT, "--prompt", "2", "--baseline", run, "--superiority")
    ended = cli(*asked)
    assert ended.code == 3
    assert ended.out.startswith("UNCHANGED     same prompts")
    assert "What is identical is not better: exit code 3." in " ".join(ended.out.split())
    assert cli(*asked, "--inconclusive", "0").code == 0


def test_an_executed_run_is_gated_and_promoted(run: str, cli: Cli) -> None:
    worse = cli("eval", *AGENT, "--prompt", "1", "--samples", "3")
    assert worse.code == 0
    ended = cli("gate", run, "--baseline", "latest", "--superiority", "--promote", "best")
    assert ended.code == 0, ended.out + ended.err
    assert "best now means prompt tone v2 (registry:" in ended.out


def test_an_expired_quarantine_fails_the_gate_at_once(run: str, project: Path, cli: Cli) -> None:
    (project / "quarantine.yaml").write_text(
        "- {case: c1, dataset: cases, owner: ann, expires: 2020-01-31, reason: slow}\n",
        encoding="utf-8",
    )
    for name in (AGENT, (run,)):
        ended = cli("gate", *name, "--baseline", run, "--save-baseline", "champion")
        assert ended.code == 1
        text = " ".join(ended.out.split())
        assert text.startswith("FAIL The quarantine of case 'c1' (cases) expired on 2020-01-31")
        assert "ann has to" in text
        assert "quarantine.yaml" in text
    assert not (project / "baselines").exists()


def test_a_gate_that_is_killed_on_the_way_to_its_baseline_goes_on(
    project: Path, state: Path, cli: Cli
) -> None:
    slow = (project / "app.py").read_text(encoding="utf-8").replace("sleep(0.01)", "sleep(0.05)")
    (project / "app.py").write_text(slow, encoding="utf-8")
    saving = ("--prompt", "2", "--baseline", "@v1", "--save-baseline", "champion", "-j", "2")
    arguments = ("gate", *AGENT, *saving, "--samples", "30", "--seed", "77")
    known = set(state.glob("**/gate.json"))
    child = subprocess.Popen(
        [sys.executable, "-m", "linenotes.cli", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 120
        while not (found := filling(state, known)) and time.monotonic() < until:
            time.sleep(0.02)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert found
    decision = orjson.loads((found / "gate.json").read_bytes())
    assert (decision["verdict"], decision["saved"]) == ("pass", None)

    ended: Ended = cli(*arguments, "--json")
    document: dict[str, Any] = ended.json
    assert f"run {found.name[:12]} goes on to its baseline" in ended.err
    assert (document["run_id"], document["metrics"]) == (found.name, decision["metrics"])
    assert document["filled_samples"] == 6 * (30 - decision["samples"])
    assert Path(document["saved"]).exists()


def filling(state: Path, known: set[Path]) -> Path | None:
    """Return the run that gets its samples for a baseline, once it has got some."""
    for path in set(state.glob("**/gate.json")) - known:
        journal = path.with_name("journal.jsonl").read_text(encoding="utf-8")
        if '"finished"' in journal.rpartition('"samples":30')[2] and '"samples":30' in journal:
            return path.parent
    return None
