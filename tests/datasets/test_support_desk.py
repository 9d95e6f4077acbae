"""What is promised of the golden data that comes with linenotes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest

from linenotes.datasets import Case, Dataset, load_dataset
from linenotes.project import Project

OUT_OF_SCOPE = "out_of_scope"
DATA = resources.files("linenotes.datasets") / "support-desk"
AGENT = resources.files("linenotes.agents") / "support_desk"


@pytest.fixture
def desk(project: Project) -> Dataset:
    return load_dataset("support-desk", project)


@pytest.fixture(scope="module")
def examples() -> list[dict[str, str]]:
    lines = (AGENT / "examples.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def domains() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads((AGENT / "domains.json").read_text(encoding="utf-8"))
    return found


def utterance(case: Case) -> str:
    messages = case.inputs["messages"]
    assert isinstance(messages, list)
    (message,) = messages
    assert isinstance(message, dict)
    assert message["role"] == "user"
    return str(message["content"])


def folded(text: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9 ]", "", text.lower()).split())


def test_each_split_is_stratified_over_the_teams(
    desk: Dataset, domains: dict[str, list[str]]
) -> None:
    for split, size in {"test": 22, "val": 10}.items():
        teams = Counter(case.expectations["team"] for case in desk.select(split).cases)
        assert teams == dict.fromkeys([*domains, OUT_OF_SCOPE], size)
    assert len(desk.cases) == 352


def test_the_test_split_has_every_intent(desk: Dataset, domains: dict[str, list[str]]) -> None:
    intents = Counter(case.expectations["intent"] for case in desk.select("test").cases)
    del intents[OUT_OF_SCOPE]
    assert set(intents) == {intent for team in domains.values() for intent in team}
    assert set(intents.values()) == {1, 2}


def test_intent_team_tag_and_cluster_agree(desk: Dataset, domains: dict[str, list[str]]) -> None:
    teams = {intent: team for team, intents in domains.items() for intent in intents}
    for case in desk.cases:
        intent = case.expectations["intent"]
        team = teams.get(str(intent), OUT_OF_SCOPE)
        assert case.expectations == {"team": team, "intent": intent}
        assert case.tags == {"domain": team}
        assert case.cluster == ("oos" if team == OUT_OF_SCOPE else intent)
        assert case.id.startswith(f"{case.split}-")


def test_no_utterance_is_twice_or_among_the_examples(
    desk: Dataset, examples: list[dict[str, str]]
) -> None:
    asked = Counter(folded(utterance(case)) for case in desk.cases)
    assert set(asked.values()) == {1}
    assert asked.keys().isdisjoint(folded(example["text"]) for example in examples)


def test_the_examples_cover_every_intent(
    examples: list[dict[str, str]], domains: dict[str, list[str]]
) -> None:
    counts = Counter((example["team"], example["intent"]) for example in examples)
    assert counts.pop((OUT_OF_SCOPE, OUT_OF_SCOPE)) == 100
    assert counts == {(team, intent): 20 for team in domains for intent in domains[team]}
    assert [len(intents) for intents in domains.values()] == [15] * 10


def test_a_limited_selection_reaches_every_team(desk: Dataset) -> None:
    few = desk.select("test", limit=22).cases
    assert set(Counter(case.tags["domain"] for case in few).values()) == {2}


def test_every_copy_is_attributed() -> None:
    texts = [(folder / "ATTRIBUTION.md").read_text(encoding="utf-8") for folder in (DATA, AGENT)]
    assert texts[0] == texts[1]
    for needed in ("Larson", "CC BY 3.0", "clinc/oos-eval", "Out-of-Scope Prediction", "Changes"):
        assert needed in texts[0]


def test_the_readme_knows_the_digest_and_the_counts(desk: Dataset) -> None:
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    assert desk.digest in readme
    assert "| `val` | 110 |" in readme
    assert "| `test` | 242 |" in readme


def test_the_sampling_script_is_deterministic_and_lets_nothing_cross(tmp_path: Path) -> None:
    source = {
        f"{prefix}{split}": [
            [f"{split} question {n} of {intent}", intent] for intent in intents for n in range(40)
        ]
        for split in ("train", "val", "test")
        for prefix, intents in {"": ("a", "b"), "oos_": ("oos",)}.items()
    }
    source["train"].append(["Test: question 1, of A!", "a"])
    for name, order in {"one": 1, "two": -1}.items():
        folder = tmp_path / name
        folder.mkdir()
        data = {split: rows[::order] for split, rows in source.items()}
        (folder / "data_full.json").write_text(json.dumps(data))
        (folder / "domains.json").write_text(json.dumps({"team": ["a", "b"]}))
        command = [sys.executable, str(DATA / "build.py"), str(folder), "--examples", str(folder)]
        subprocess.run([*command, "--golden", str(folder / "golden.jsonl")], check=True)
    for file in ("golden.jsonl", "examples.jsonl"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    golden = (tmp_path / "one" / "golden.jsonl").read_text()
    assert len(golden.splitlines()) == 2 * (22 + 10)
    assert "test question 1 of a" not in golden
